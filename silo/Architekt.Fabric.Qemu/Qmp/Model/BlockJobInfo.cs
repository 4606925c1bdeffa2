namespace Architekt.Fabric.Qemu;

/// <summary>A block job (QEMU, qapi/block-core.json, <c>BlockJobInfo</c>).</summary>
public sealed record BlockJobInfo
{
    /// <summary>Job id.</summary>
    public required string Device { get; init; }

    /// <summary>Kind, e.g. <c>mirror</c>.</summary>
    public required string Type { get; init; }

    /// <summary>Bytes to do; may grow.</summary>
    public long Len { get; init; }

    /// <summary>Bytes done.</summary>
    public long Offset { get; init; }

    /// <summary>Whether it may be completed.</summary>
    public bool Ready { get; init; }

    /// <summary>Whether it is doing something right now.</summary>
    public bool Busy { get; init; }

    /// <summary>Whether it stands still.</summary>
    public bool Paused { get; init; }

    /// <summary>Bytes per second it may do; 0 is no limit.</summary>
    public long Speed { get; init; }

    /// <summary>State of the job, e.g. <c>running</c>, <c>ready</c>, <c>concluded</c>.</summary>
    public string? Status { get; init; }

    /// <summary>Why it failed.</summary>
    public string? Error { get; init; }
}
