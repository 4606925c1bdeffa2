namespace Architekt.Fabric.Packages;

/// <summary>How an archive is written.</summary>
public sealed record ArkWriteOptions
{
    /// <summary>The zstd level used by default.</summary>
    public const int DefaultLevel = 3;

    /// <summary>The zstd level: 1 (fast) to 22 (small).</summary>
    public int Level { get; init; } = DefaultLevel;

    /// <summary>Whether to replace a file that is there already.</summary>
    public bool Overwrite { get; init; }
}
