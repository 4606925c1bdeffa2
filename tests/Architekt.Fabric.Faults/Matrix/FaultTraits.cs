using System.Text.RegularExpressions;

namespace Architekt.Fabric.Faults.Matrix;

/// <summary>What there is to know about faults. A new one does not compile before all of it has been said.</summary>
internal static partial class FaultTraits
{
    public static IReadOnlyList<Fault> All { get; } = Enum.GetValues<Fault>();

    /// <summary>As on the command line: <c>kill-source-silo</c>.</summary>
    public static string Name(this Fault fault) => Words().Replace(fault.ToString(), "-$0").ToLowerInvariant();

#pragma warning disable CS8524 // Only values without a name are left.
    /// <summary>The side whose peer or QEMU it is aimed at; null for what is there whatever the migration does.</summary>
    public static Side? Target(this Fault fault) => fault switch
    {
        Fault.KillSourcePeer or Fault.KillSourceQemu or Fault.FreezeSourcePeer => Side.Source,
        Fault.KillDestinationPeer or Fault.KillDestinationQemu or Fault.FreezeDestinationPeer => Side.Destination,
        Fault.KillSourceSilo or Fault.KillDestinationSilo or Fault.CutLink or Fault.StopPostgres or Fault.FreezeSourceSilo
            or Fault.FreezeDestinationSilo or Fault.LoseDestinationSilo => null,
    };

    /// <summary>How long it lasts. What was killed is gone at once, and a silo is started again at once, as its service manager would.</summary>
    public static TimeSpan Duration(this Fault fault) => fault switch
    {
        Fault.KillSourceSilo or Fault.KillDestinationSilo or Fault.KillSourcePeer or Fault.KillDestinationPeer or Fault.KillSourceQemu
            or Fault.KillDestinationQemu => TimeSpan.Zero,

        // Longer than it takes until a silo is declared dead, so that it wakes up to find that others went on without it.
        Fault.FreezeSourceSilo or Fault.FreezeDestinationSilo => TimeSpan.FromSeconds(12),
        Fault.CutLink => TimeSpan.FromSeconds(10),
        Fault.FreezeSourcePeer or Fault.FreezeDestinationPeer or Fault.StopPostgres => TimeSpan.FromSeconds(5),

        // Until the migration has ended: see FaultInjector.
        Fault.LoseDestinationSilo => Timeout.InfiniteTimeSpan,
    };
#pragma warning restore CS8524

    /// <summary>Whether it ends a QEMU. A QEMU does not outlive its peer.</summary>
    public static bool IsFatal(this Fault fault) =>
        fault is Fault.KillSourcePeer or Fault.KillDestinationPeer or Fault.KillSourceQemu or Fault.KillDestinationQemu;

    [GeneratedRegex("(?<!^)[A-Z]")]
    private static partial Regex Words();
}
