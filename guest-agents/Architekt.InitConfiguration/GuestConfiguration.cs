using System.Text.Json;

namespace Architekt.InitConfiguration;

/// <summary>What a blueprint tells the guest's first process; a JSON file in the initramfs.</summary>
/// <remarks>Init and its configuration are always built into the same initramfs, so there is no version.</remarks>
public sealed record GuestConfiguration
{
    /// <summary>The program of the guest and its arguments; a name without a slash is looked for in PATH.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>The program's whole environment, each as <c>NAME=value</c>.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>The folder it starts in.</summary>
    public string WorkingDirectory { get; init; } = "/";

    /// <summary>The user it runs as.</summary>
    public uint UserId { get; init; }

    /// <summary>Its group.</summary>
    public uint GroupId { get; init; }

    /// <summary>Its supplementary groups.</summary>
    public IReadOnlyList<uint> SupplementaryGroups { get; init; } = [];

    /// <summary>The number of the signal that asks it to end (signal(7)).</summary>
    public int StopSignal { get; init; } = 15;

    /// <summary>How long it may take to end before it is made to, in milliseconds.</summary>
    public int StopTimeoutMs { get; init; } = 10_000;

    /// <summary>The kernel modules to load, in this order: file names in <see cref="InitramfsLayout.Modules"/>.</summary>
    public IReadOnlyList<string> Modules { get; init; } = [];

    /// <summary>The block device that holds the root file system.</summary>
    public string RootDevice { get; init; } = "/dev/vda";

    /// <summary>What the guest is called unless the kernel's command line has <c>architekt.hostname</c>.</summary>
    public string HostName { get; init; } = "guest";

    /// <summary>
    /// What must answer before the guest is said to be up: <c>tcp:PORT</c> or <c>tcp:ADDRESS:PORT</c>; null for nothing but the start of the program.
    /// <c>architekt.ready</c> on the kernel's command line goes before it.
    /// </summary>
    public string? Ready { get; init; }

    /// <summary>The agent's command before a pause, run by the image's shell; null for none.</summary>
    public string? BeforeSuspend { get; init; }

    /// <summary>The agent's command after a pause, run by the image's shell; null for none.</summary>
    public string? AfterResume { get; init; }

    /// <summary>Folders the image has where memory is mounted over it (<c>/run</c>, <c>/tmp</c>), made anew there; parents first.</summary>
    public IReadOnlyList<GuestFolder> Folders { get; init; } = [];

    /// <summary>Kernel settings (sysctl(8)) by name, such as <c>vm.overcommit_memory</c>.</summary>
    public IReadOnlyDictionary<string, string> Sysctls { get; init; } = new Dictionary<string, string>();

    /// <summary>Reads a configuration.</summary>
    /// <exception cref="JsonException">It is not one.</exception>
    public static GuestConfiguration Parse(ReadOnlySpan<byte> utf8) =>
        JsonSerializer.Deserialize(utf8, GuestJsonContext.Default.GuestConfiguration) ?? throw new JsonException("null is not a configuration.");

    /// <summary>The configuration as it is written to its file.</summary>
    public byte[] ToUtf8() => JsonSerializer.SerializeToUtf8Bytes(this, GuestJsonContext.Default.GuestConfiguration);
}
