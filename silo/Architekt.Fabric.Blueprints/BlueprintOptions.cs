using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.Blueprints;

/// <summary>How a blueprint is built. What is null comes from the image.</summary>
public sealed record BlueprintOptions
{
    /// <summary>The command line a guest's kernel gets by default: messages on the serial console, and no reboot after a panic.</summary>
    public const string DefaultKernelCommandLine = "console=ttyS0 quiet panic=-1";

    /// <summary>The name the blueprint proposes for itself: 1 to 63 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit.</summary>
    public required string Name { get; init; }

    /// <summary>Where it is put; must not exist unless <see cref="Replace"/> is set.</summary>
    public required string OutputFolder { get; init; }

    /// <summary>Where the kernel is from.</summary>
    public required KernelSource Kernel { get; init; }

    /// <summary>The folder with <c>architekt-init</c>, <c>architekt-agent</c> and <c>architekt-liveness</c>.</summary>
    public required string AgentsFolder { get; init; }

    /// <summary>Whether an older blueprint in <see cref="OutputFolder"/> may be replaced; anything else there is left alone.</summary>
    public bool Replace { get; init; }

    /// <summary>The program and its first arguments, in place of the image's entry point and its default arguments.</summary>
    public IReadOnlyList<string>? EntryPoint { get; init; }

    /// <summary>The arguments after the entry point, in place of the image's default ones.</summary>
    public IReadOnlyList<string>? Arguments { get; init; }

    /// <summary>Variables on top of the image's.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>The user, as <c>NAME</c> or <c>UID</c>, and the group after a colon.</summary>
    public string? User { get; init; }

    /// <summary>The folder the entry point starts in; made when the image has none.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>The signal that asks the entry point to end: <c>SIGQUIT</c>, <c>QUIT</c> or <c>3</c>.</summary>
    public string? StopSignal { get; init; }

    /// <summary>How long the entry point may take to end.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What must answer before the guest says that it is up: <c>tcp:PORT</c> or <c>tcp:ADDRESS:PORT</c>; null for nothing but the entry point's start.</summary>
    public string? Ready { get; init; }

    /// <summary>What the guest is called unless it is told otherwise; <see cref="Name"/> when null.</summary>
    public string? HostName { get; init; }

    /// <summary>A command for the guest's shell before each pause; its failure is a veto.</summary>
    public string? BeforeSuspend { get; init; }

    /// <summary>A command for the guest's shell after each pause.</summary>
    public string? AfterResume { get; init; }

    /// <summary>Kernel settings (sysctl(8)), such as <c>vm.overcommit_memory</c>.</summary>
    public IReadOnlyDictionary<string, string> Sysctls { get; init; } = new Dictionary<string, string>();

    /// <summary>Further kernel modules to load, by name.</summary>
    public IReadOnlyList<string> Modules { get; init; } = [];

    /// <summary>Virtual CPUs, 1 to 255.</summary>
    public int Vcpus { get; init; } = 1;

    /// <summary>RAM in bytes, a multiple of 2 MiB.</summary>
    public long MemoryBytes { get; init; } = 256L << 20;

    /// <summary>The machine it is for.</summary>
    public PackageMachineType MachineType { get; init; } = PackageMachineType.Q35;

    /// <summary>The kernel's command line.</summary>
    public string KernelCommandLine { get; init; } = DefaultKernelCommandLine;

    /// <summary>Free room on the disk in bytes, besides what the image fills; rounded up to whole MiB.</summary>
    public long DiskSlackBytes { get; init; } = 64L << 20;

    /// <summary>When it was made; null for the time the image was made, or that of the newest file in a root tar, so that the same input makes the same blueprint.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>Notes for the manifest, besides <c>image</c> (the image's digest) and <c>kernel</c> (its version).</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether a text may be a <see cref="Ready"/>.</summary>
    public static bool IsReadyCheck(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split(':');
        return parts.Length is 2 or 3 && parts[0] == "tcp" && ushort.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0
            && (parts.Length == 2 || (parts[1].Split('.').Length == 4 && IPAddress.TryParse(parts[1], out var address) && address.AddressFamily == AddressFamily.InterNetwork));
    }
}
