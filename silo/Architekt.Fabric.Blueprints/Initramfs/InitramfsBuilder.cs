using System.IO.Compression;
using Architekt.Fabric.Blueprints.Kernels;
using Architekt.InitConfiguration;

namespace Architekt.Fabric.Blueprints.Initramfs;

/// <summary>Makes the initramfs: the first process, its configuration, the drivers and the agents. All of it is here, and so the disk is the image and nothing else.</summary>
internal static class InitramfsBuilder
{
    private const int ProgramMode = 0x1ED;
    private const int FileMode = 0x1A4;

    internal static readonly string[] Programs = [InitramfsLayout.InitName, InitramfsLayout.AgentName, InitramfsLayout.LivenessName];

    private static readonly string[] _folders = ["/dev", "/proc", "/sys", InitramfsLayout.NewRoot, InitramfsLayout.Modules, InitramfsLayout.Programs];

    /// <param name="path">Where it is written.</param>
    /// <param name="agentsFolder">Where the programs are.</param>
    /// <param name="configuration">What the first process is told.</param>
    /// <param name="modules">The modules, in the order in which they are loaded.</param>
    /// <param name="time">The time of its files, in seconds since 1970.</param>
    internal static void Write(string path, string agentsFolder, GuestConfiguration configuration, IReadOnlyList<KernelModule> modules, long time)
    {
        using var file = File.Create(path);
        // gzip is the one compression that every kernel has.
        using var compressed = new GZipStream(file, CompressionLevel.SmallestSize);
        using var output = new BufferedStream(compressed, 64 * 1024);
        var cpio = new CpioWriter(output, time);
        foreach (var folder in _folders)
            cpio.AddFolder(folder, ProgramMode);
        // The kernel opens it for the first process, which would otherwise have no way to say that something is wrong.
        cpio.AddCharacterDevice("/dev/console", 0x180, 5, 1);
        foreach (var program in Programs)
            cpio.AddFile($"{InitramfsLayout.Programs}/{program}", ProgramMode, File.ReadAllBytes(Path.Combine(agentsFolder, program)));
        cpio.AddLink(InitramfsLayout.FirstProgram, InitramfsLayout.Init);
        foreach (var module in modules)
            cpio.AddFile($"{InitramfsLayout.Modules}/{module.FileName}", FileMode, File.ReadAllBytes(module.Path));
        cpio.AddFile(InitramfsLayout.Configuration, FileMode, (configuration with { Modules = [.. modules.Select(module => module.FileName)] }).ToUtf8());
        cpio.Finish();
    }
}
