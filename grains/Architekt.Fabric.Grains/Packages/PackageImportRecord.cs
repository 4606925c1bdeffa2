namespace Architekt.Fabric.Grains;

/// <summary>What a package's grain remembers of its last import, so that who asks after a restart of the silo gets an answer.</summary>
[GenerateSerializer]
[Alias("architekt.package-import-record")]
internal sealed class PackageImportRecord
{
    /// <summary>Where it came from; null before the first.</summary>
    [Id(0)]
    public string? Path { get; set; }

    /// <summary>When it began.</summary>
    [Id(1)]
    public DateTimeOffset BegunAt { get; set; }

    /// <summary>Whether its end was recorded; one that was not ended with the silo.</summary>
    [Id(2)]
    public bool IsFinished { get; set; }

    /// <summary>Why it failed, for programs.</summary>
    [Id(3)]
    public FabricErrorCode? ErrorCode { get; set; }

    /// <summary>Why it failed, for people.</summary>
    [Id(4)]
    public string? Error { get; set; }
}
