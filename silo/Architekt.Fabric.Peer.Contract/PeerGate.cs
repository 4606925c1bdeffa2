namespace Architekt.Fabric.Peer;

/// <summary>
/// The rules of the gate before a guest, as plain code: what a peer in this situation lets be done to it. The guest runs only for a grant of
/// exactly the instance's epoch; whoever speaks for a migration must name it.
/// </summary>
/// <param name="Vm">The VM.</param>
/// <param name="Host">The host the instance is on.</param>
/// <param name="Epoch">The instance's epoch.</param>
/// <param name="Granted">The epoch the guest was let run under; 0 if it never was.</param>
/// <param name="State">What the peer is doing.</param>
/// <param name="Outgoing">The migration away that is under way, or null.</param>
/// <param name="Incoming">The migration the instance was made for, or null.</param>
/// <param name="IsLoaded">Whether that migration's device state is loaded.</param>
/// <param name="HasRun">Whether the guest was let run after it came here.</param>
public readonly record struct PeerGate(
    string Vm, string Host, long Epoch, long Granted, PeerState State, string? Outgoing, string? Incoming, bool IsLoaded, bool HasRun)
{
    /// <summary>Any call for an epoch.</summary>
    public PeerVerdict ForEpoch(long epoch) => epoch == Epoch ? PeerVerdict.Allowed : PeerVerdict.StaleEpoch(epoch, Epoch);

    /// <summary>Start the guest.</summary>
    public PeerVerdict Boot(long epoch) => epoch != Epoch
        ? PeerVerdict.StaleEpoch(epoch, Epoch)
        : Granted == epoch ? PeerVerdict.Repeated : In(PeerState.Idle);

    /// <summary>Get ready for a guest that comes.</summary>
    public PeerVerdict Receive(string operation) => Incoming == operation ? PeerVerdict.Repeated : In(PeerState.Idle);

    /// <summary>Let a guest that came go on: the grant after the commit.</summary>
    public PeerVerdict Run(long epoch)
    {
        if (epoch != Epoch) return PeerVerdict.StaleEpoch(epoch, Epoch);
        if (HasRun) return PeerVerdict.Repeated;

        // It was started here under the same epoch since, and whoever asks has been held up.
        if (Incoming is null && Granted == epoch && State == PeerState.Running) return PeerVerdict.Repeated;
        return IsLoaded ? PeerVerdict.Allowed : PeerVerdict.Conflict($"'{Vm}' cannot run: its device state is not loaded.");
    }

    /// <summary>Give up an instance whose migration was given up. One that was made for another migration is none of this one's.</summary>
    public PeerVerdict Discard(string operation)
    {
        if (Granted != 0) return PeerVerdict.Conflict($"'{Vm}' was granted to '{Host}' and is not discarded.");
        return Incoming is null || Incoming == operation
            ? PeerVerdict.Allowed
            : PeerVerdict.Conflict($"'{Vm}' was prepared on '{Host}' for migration {Incoming}, not for {operation}.");
    }

    /// <summary>Begin to copy the guest away.</summary>
    public PeerVerdict Copy(string operation)
    {
        if (Outgoing == operation) return PeerVerdict.Repeated;
        var verdict = In(PeerState.Running);
        return verdict.IsRefused ? verdict : NotMigrating($"'{Vm}' is being migrated already (operation {Outgoing}).");
    }

    /// <summary>Go on with a migration away: suspend, switch, release.</summary>
    public PeerVerdict Continue(string operation) => Outgoing == operation
        ? PeerVerdict.Allowed
        : PeerVerdict.Conflict($"No migration {operation} away from '{Host}' is under way.");

    /// <summary>Undo a migration away. One that is not under way, whoever asks for it, is none of this guest's.</summary>
    public PeerVerdict RollBack(string operation) => Outgoing == operation ? PeerVerdict.Allowed : PeerVerdict.Repeated;

    /// <summary>What needs the guest in one state.</summary>
    public PeerVerdict In(PeerState wanted) =>
        State == wanted ? PeerVerdict.Allowed : PeerVerdict.Conflict($"'{Vm}' is {State}, not {wanted}.");

    /// <summary>What cannot be done beside a migration away.</summary>
    public PeerVerdict NotMigrating() => NotMigrating($"'{Vm}' is being migrated (operation {Outgoing}).");

    private PeerVerdict NotMigrating(string reason) => Outgoing is null ? PeerVerdict.Allowed : PeerVerdict.Conflict(reason);
}
