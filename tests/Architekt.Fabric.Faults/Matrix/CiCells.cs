namespace Architekt.Fabric.Faults.Matrix;

/// <summary>The cells compose/test.sh has the time for: each phase, each fault, and the points where most can go wrong.</summary>
internal static class CiCells
{
    private static readonly (string Stage, Fault Fault)[] Chosen =
    [
        ("check", Fault.StopPostgres),
        ("prepare", Fault.KillDestinationPeer),
        ("copy", Fault.FreezeSourcePeer),
        ("copy", Fault.LoseDestinationSilo),
        ("suspend", Fault.KillSourceSilo),
        ("suspend", Fault.FreezeSourceSilo),
        ("switch-stopped", Fault.KillSourceQemu),
        ("switch-handing-over", Fault.KillDestinationQemu),
        ("switch-handing-over", Fault.FreezeDestinationPeer),
        ("commit", Fault.StopPostgres),
        ("commit", Fault.KillSourcePeer),
        ("commit", Fault.KillDestinationQemu),
        ("commit", Fault.KillDestinationSilo),
        ("run", Fault.KillDestinationPeer),
        ("clean", Fault.CutLink),
        ("roll-back", Fault.KillDestinationQemu),
        ("done", Fault.FreezeDestinationSilo),
    ];

    public static IReadOnlyList<Cell> All { get; } =
        [.. Chosen.Select(static chosen => FaultMatrix.All.Single(cell => cell.Stage.Name == chosen.Stage && cell.Fault == chosen.Fault))];
}
