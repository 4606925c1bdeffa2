namespace Architekt.Fabric.Nbd.Tests;

/// <summary>Illegal requests by libnbd with its own checks switched off; the connection has to live after each.</summary>
public sealed class NbdShTests
{
    private const string Script = """
        import nbd
        size = 1 << 20

        def refused(expected, what, call, *args, **kwargs):
            try:
                call(*args, **kwargs)
            except nbd.Error as error:
                if error.errno != expected:
                    raise Exception("%s: %s instead of %s" % (what, error.errno, expected))
            else:
                raise Exception("%s was not refused" % what)
            if h.pread(16, 0) != bytes(16):
                raise Exception("%s: wrong data afterwards" % what)

        for structured in (True, False):
            h = nbd.NBD()
            h.set_strict_mode(0)
            h.set_request_structured_replies(structured)
            h.add_meta_context("base:allocation")
            h.set_export_name("d")
            h.connect_uri(uri)
            assert h.get_structured_replies_negotiated() == structured
            refused("EINVAL", "read past the end", h.pread, 2, size - 1)
            refused("ENOSPC", "write past the end", h.pwrite, b"ab", size - 1)
            refused("ENOSPC", "zero past the end", h.zero, 2, size - 1)
            refused("EINVAL", "trim past the end", h.trim, 2, size - 1)
            refused("EINVAL", "cache past the end", h.cache, 2, size - 1)
            refused("EINVAL", "unknown read flag", h.pread, 1, 0, flags=0x4000)
            refused("EINVAL", "unknown write flag", h.pwrite, b"a", 0, flags=0x4000)
            refused("EINVAL", "fast zero flag on trim", h.trim, 1, 0, flags=nbd.CMD_FLAG_FAST_ZERO)
            refused("EINVAL", "df flag on write", h.pwrite, b"a", 0, flags=nbd.CMD_FLAG_DF)
            refused("ENOTSUP", "fast zero that is not fast", h.zero, 4096, 0, flags=nbd.CMD_FLAG_FAST_ZERO)
            refused("EINVAL", "read above the maximum", h.pread, (32 << 20) + 1, 0)
            if not structured:
                refused("EINVAL", "block status without context", h.block_status, 1, 0, lambda *a: 0)
                refused("EINVAL", "df flag with simple replies", h.pread, 1, 0, flags=nbd.CMD_FLAG_DF)
            h.pwrite(b"x" * 512, 4096, flags=nbd.CMD_FLAG_FUA)
            h.zero(512, 4096, flags=nbd.CMD_FLAG_NO_HOLE)
            assert h.pread(512, 4096, flags=nbd.CMD_FLAG_DF if structured else 0) == bytes(512)
            h.flush()
            h.shutdown()

        h = nbd.NBD()
        h.set_strict_mode(0)
        h.set_opt_mode(True)
        h.connect_uri(uri)
        names = []
        h.opt_list(lambda name, description: names.append(name) or 0)
        assert names == ["d"], names
        h.set_export_name("nobody")
        try:
            h.opt_go()
            raise Exception("an unknown export was opened")
        except nbd.Error:
            pass
        h.set_export_name("hidden")
        h.opt_info()
        assert h.get_size() == 4096
        contexts = []
        h.opt_list_meta_context(lambda name: contexts.append(name) or 0)
        assert contexts == ["base:allocation"], contexts
        h.opt_abort()
        print("all is well")
        """;

    [Fact]
    public async Task IllegalRequests_AreRefusedAndTheConnectionLives()
    {
        await using var server = new TestServer(new TestExport("d", 1 << 20), new TestExport("hidden", 4096) { IsListed = false });
        var script = Path.Combine(server.Folder, "script.py");
        await File.WriteAllTextAsync(script, $"uri = \"{server.Uri("d")}\"\n{Script}", TestContext.Current.CancellationToken);
        var (exitCode, output) = await Tool.RunAsync("python3", script);
        if (output.Contains("No module named", StringComparison.Ordinal))
            Assert.Skip("libnbd's Python module is not installed");
        Assert.True(exitCode == 0, output);
        Assert.Contains("all is well", output, StringComparison.Ordinal);
    }
}
