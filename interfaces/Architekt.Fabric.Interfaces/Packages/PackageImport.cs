namespace Architekt.Fabric;

/// <summary>How far an import is. A finished import has either a <see cref="Package"/> or a <see cref="Error"/>.</summary>
/// <param name="IsFinished">Whether it has ended.</param>
/// <param name="BytesDone">Bytes read and checked so far.</param>
/// <param name="BytesTotal">Bytes to read; 0 until the manifest was read.</param>
/// <param name="Package">The package, once it is in the store.</param>
/// <param name="ErrorCode">Why it failed, for programs.</param>
/// <param name="Error">Why it failed, for people.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.package-import")]
public sealed record PackageImport(
    bool IsFinished,
    long BytesDone,
    long BytesTotal,
    PackageInfo? Package,
    FabricErrorCode? ErrorCode,
    string? Error);
