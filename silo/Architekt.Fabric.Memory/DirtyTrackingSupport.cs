using System.Diagnostics.CodeAnalysis;

namespace Architekt.Fabric.Memory;

/// <summary>Whether this host can track guest writes, which live migration needs.</summary>
/// <param name="Reason">Null if it can; otherwise one sentence that says why not and what to do.</param>
public sealed record DirtyTrackingSupport(string? Reason)
{
    /// <summary>It can.</summary>
    public static DirtyTrackingSupport Supported { get; } = new((string?)null);

    /// <summary>True if guests can be migrated live.</summary>
    [MemberNotNullWhen(false, nameof(Reason))]
    public bool IsSupported => Reason is null;
}
