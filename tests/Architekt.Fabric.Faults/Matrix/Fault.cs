namespace Architekt.Fabric.Faults.Matrix;

/// <summary>What is done to a fabric in the middle of a migration.</summary>
internal enum Fault
{
    KillSourceSilo,
    KillDestinationSilo,
    KillSourcePeer,
    KillDestinationPeer,
    KillSourceQemu,
    KillDestinationQemu,
    CutLink,
    StopPostgres,
    FreezeSourceSilo,
    FreezeDestinationSilo,
    FreezeSourcePeer,
    FreezeDestinationPeer,
    LoseDestinationSilo,
}
