using System.Net.Sockets;
using CsCheck;

namespace Architekt.Fabric.Nbd.Tests;

public sealed class ExportFlagsFilterTests
{
    /// <summary>A greeting; structured replies are refused; NBD_OPT_INFO of a name, then NBD_OPT_GO with the export's size and flags, and what looks like them afterwards.</summary>
    private static readonly byte[] _said = Convert.FromHexString(
        "4e42444d41474943" + "49484156454F5054" + "0003"
        + Reply(8, 0x80000001, "no"u8)
        + Reply(6, 3, [0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
        + Reply(7, 3, [0, 3, 0, 0, 0, 1, 0, 0, 0x10, 0, 2, 0, 0, 0])
        + Reply(7, 3, [0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0d, 0xed])
        + Reply(7, 1, [])
        + Reply(7, 3, [0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0d, 0xed]));

    private static readonly int _flagsAt = _said.Length - 32 - 20 - 2;

    [Fact]
    public void Apply_WhateverThePieces_ChangesTheFlagsOfTheOpenedExportAndNothingElse() =>
        Gen.Int[1, 40].Array[1, 200].Sample(pieces =>
        {
            var filter = new ExportFlagsFilter(NbdFeatures.Flush | NbdFeatures.ForceUnitAccess | NbdFeatures.FastZero);
            var passed = _said.ToArray();
            var at = 0;
            foreach (var piece in pieces.Append(passed.Length))
            {
                var length = Math.Min(piece, passed.Length - at);
                filter.Apply(passed.AsSpan(at, length));
                at += length;
            }

            var expected = _said.ToArray();
            expected[_flagsAt] = 0x05;
            expected[_flagsAt + 1] = 0xe1;
            Assert.Equal(expected, passed);
            Assert.True(filter.IsOver);
        });

    [Fact]
    public void Apply_NoNegotiationItKnows_ChangesNothing()
    {
        var filter = new ExportFlagsFilter((NbdFeatures)0xffff);
        var passed = Enumerable.Range(0, 200).Select(static value => (byte)(value | 0x80)).ToArray();

        filter.Apply(passed);

        Assert.Equal(Enumerable.Range(0, 200).Select(static value => (byte)(value | 0x80)), passed);
        Assert.True(filter.IsOver);
    }

    /// <summary>QEMU's client flushes whatever can be flushed, however its cache is set.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task QemuIo_FlushIsHidden_DoesNotFlush(bool isHidden)
    {
        var export = new TestExport("d", 1 << 20);
        await using var server = new TestServer(export);
        var path = Path.Combine(server.Folder, "relay");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        var relaying = RelayAsync(listener, server, new ExportFlagsFilter(isHidden ? NbdFeatures.Flush | NbdFeatures.ForceUnitAccess : NbdFeatures.None));

        var output = await Tool.MustRunAsync(
            "qemu-io", "-f", "raw", "-c", "write -P 0x5a 0 64k", "-c", "write -f -P 0x6b 64k 64k", "-c", "flush", new NbdUri(new UnixDomainSocketEndPoint(path), "d").ToString());

        await relaying;
        Assert.DoesNotContain("failed", output, StringComparison.OrdinalIgnoreCase);
        Assert.All(export.Data[..65536], static value => Assert.Equal(0x5a, value));
        Assert.All(export.Data[65536..131072], static value => Assert.Equal(0x6b, value));
        Assert.Equal(isHidden, export.Flushes == 0);
    }

    private static async Task RelayAsync(Socket listener, TestServer server, ExportFlagsFilter filter)
    {
        var token = TestContext.Current.CancellationToken;
        using var near = await listener.AcceptAsync(token);
        using var far = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await far.ConnectAsync(server.EndPoint, token);
        await Task.WhenAny(PumpAsync(near, far, static _ => { }), PumpAsync(far, near, piece => filter.Apply(piece.Span)));

        async Task PumpAsync(Socket from, Socket to, Action<Memory<byte>> pass)
        {
            var buffer = new byte[7];
            while (await from.ReceiveAsync(buffer, token) is var count and > 0)
            {
                pass(buffer.AsMemory(0, count));
                for (var sent = 0; sent < count;) sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), token);
            }
        }
    }

    private static string Reply(uint option, uint type, ReadOnlySpan<byte> data) =>
        $"0003e889045565a9{option:x8}{type:x8}{data.Length:x8}{Convert.ToHexString(data)}";
}
