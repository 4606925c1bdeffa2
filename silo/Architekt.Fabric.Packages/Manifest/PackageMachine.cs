using System.Text.Json.Serialization;

namespace Architekt.Fabric.Packages;

/// <summary>
/// What else the machine was whose device state a package holds. QEMU loads a state only into the machine that saved it, so whoever resumes it builds this one.
/// </summary>
public sealed record PackageMachine
{
    /// <summary>How it ran: <c>kvm</c> or <c>tcg</c>. State of the one cannot be relied on under the other.</summary>
    [JsonRequired]
    public required string Accelerator { get; init; }

    /// <summary>QEMU's CPU model: 1 to 64 of a-z, A-Z, 0-9, '.', '_' and '-'.</summary>
    [JsonRequired]
    public required string CpuModel { get; init; }

    /// <summary>The MAC address of its network card, such as 52:54:00:12:34:56; null if it had no card.</summary>
    public string? Mac { get; init; }
}
