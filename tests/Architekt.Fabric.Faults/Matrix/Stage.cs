namespace Architekt.Fabric.Faults.Matrix;

/// <summary>A point of a migration it can be held at.</summary>
/// <param name="Name">Its name on the command line and in the matrix.</param>
/// <param name="Phase">The phase it is in.</param>
/// <param name="Gate">The gate it is held at: before an act of the driver, or a point within the source's peer.</param>
/// <param name="Guest">The side whose death ends the guest for good, because it alone has all of it and may still be let run; null where the other side takes its place.</param>
/// <param name="HasSource">Whether the source's peer and QEMU are still there.</param>
/// <param name="HasDestination">Whether the destination's peer and QEMU are there already.</param>
internal sealed record Stage(string Name, MigrationPhase Phase, string Gate, Side? Guest, bool HasSource = true, bool HasDestination = true)
{
    /// <summary>All of them, in the order of the phases.</summary>
    public static IReadOnlyList<Stage> All { get; } = [.. Enum.GetValues<MigrationPhase>().SelectMany(Of)];

    /// <summary>The stages of a phase. There is no default on purpose: a new phase does not compile before it has a stage.</summary>
#pragma warning disable CS8524 // Only values without a name are left.
    public static IReadOnlyList<Stage> Of(MigrationPhase phase) => phase switch
    {
        MigrationPhase.Check => [new("check", phase, "Prepare", Side.Source, HasDestination: false)],
        MigrationPhase.Prepare => [new("prepare", phase, "Copy", Side.Source)],
        MigrationPhase.Copy => [new("copy", phase, "copying", Side.Source)],
        MigrationPhase.Suspend => [new("suspend", phase, "Switch", Side.Source)],
        MigrationPhase.Switch => [new("switch-stopped", phase, "stopped", Side.Source), new("switch-handing-over", phase, "handing-over", Side.Source)],
        MigrationPhase.Commit => [new("commit", phase, "Commit", Guest: null)],
        MigrationPhase.Run => [new("run", phase, "Run", Side.Destination)],
        MigrationPhase.Clean => [new("clean", phase, "Clean", Side.Destination)],
        MigrationPhase.RollBack => [new("roll-back", phase, "RollBack", Side.Source)],
        MigrationPhase.Done => [new("done", phase, "End", Side.Destination, HasSource: false)],
    };
#pragma warning restore CS8524
}
