namespace Architekt.Fabric.Blueprints.Tests.Support;

/// <summary>A kernel and programs that are none, for tests of everything else.</summary>
internal static class FakeParts
{
    internal const string KernelVersion = "6.1.99-test";

    private const int HeaderLength = 0x210;
    private const int MagicOffset = 0x202;
    private const int VersionPointerOffset = 0x20E;
    private const byte VersionPointer = 0x10;

    internal static string Make(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var program in new[] { "architekt-init", "architekt-agent", "architekt-liveness" })
            File.WriteAllText(Path.Combine(folder, program), $"this is {program}");
        var kernel = new byte[HeaderLength];
        "HdrS"u8.CopyTo(kernel.AsSpan(MagicOffset));
        kernel[VersionPointerOffset] = VersionPointer;
        File.WriteAllBytes(Path.Combine(folder, "vmlinuz"), [.. kernel, .. System.Text.Encoding.ASCII.GetBytes($"{KernelVersion} (somebody)\0")]);
        return folder;
    }

    internal static BlueprintOptions Options(string folder, string output) => new()
    {
        Name = "test",
        OutputFolder = output,
        Kernel = KernelSource.FromFile(Path.Combine(folder, "vmlinuz")),
        AgentsFolder = folder,
        EntryPoint = ["/bin/true"],
        DiskSlackBytes = 1 << 20,
    };
}
