namespace Architekt.Fabric.Qemu;

// One record per shape of arguments on the wire; names become kebab-case.
internal sealed record UriArguments(string Uri);

internal sealed record MigrateContinueArguments(MigrationStatus State);

internal sealed record CapabilityArgument(string Capability, bool State);

internal sealed record CapabilitiesArguments(IReadOnlyList<CapabilityArgument> Capabilities);

internal sealed record UnixPath(string Path);

internal sealed record SocketAddress(string Type, UnixPath Data);

internal sealed record NbdServerStartArguments(SocketAddress Addr);

internal sealed record BlockExportAddArguments(string Type, string Id, string NodeName, bool Writable, string? Name);

internal sealed record IdArguments(string Id);

internal sealed record FlatUnixAddress(string Type, string Path);

internal sealed record BlockdevAddNbdArguments(string Driver, string NodeName, FlatUnixAddress Server, string Export);

internal sealed record NodeNameArguments(string NodeName);

internal sealed record BlockdevMirrorArguments(
    string JobId, string Device, string Target, MirrorSync Sync, MirrorCopyMode CopyMode, long? Speed);

internal sealed record BlockJobCancelArguments(string Device, bool Force);

internal sealed record FlatArguments(bool Flat);

internal sealed record CpuModelExpansionArguments(string Type, CpuModel Model);

internal sealed record CpuModelExpansion(CpuModel Model);

internal sealed record HumanMonitorArguments(string CommandLine);

internal sealed record QomGetArguments(string Path, string Property);
