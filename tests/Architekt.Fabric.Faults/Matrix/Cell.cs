namespace Architekt.Fabric.Faults.Matrix;

/// <summary>One fault at one point of a migration.</summary>
/// <param name="Stage">Where.</param>
/// <param name="Fault">What.</param>
internal sealed record Cell(Stage Stage, Fault Fault)
{
    /// <summary>The process it is aimed at is there at all.</summary>
    public bool IsPossible => Fault.Target() switch
    {
        Side.Source => Stage.HasSource,
        Side.Destination => Stage.HasDestination,
        _ => true,
    };

    /// <summary>The fault ends the only copy of the guest that may run. In any other cell the guest has to live.</summary>
    public bool MayEndGuest => Fault.IsFatal() && Fault.Target() == Stage.Guest;

    public override string ToString() => $"{Stage.Name} {Fault.Name()}";
}
