using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Machine;
using Architekt.Fabric.Qemu;

namespace Architekt.Fabric.Peer;

// The right to run where it is a lease: it ends by itself, and stays ended until somebody who owns the VM gives more.
internal sealed partial class PeerService
{
    private readonly Lock _leaseLock = new();
    private GuestLease? _lease;

    private GuestLease? Lease
    {
        get
        {
            if (!instance.HasLease) return null;
            lock (_leaseLock)
            {
                return _lease ??= new GuestLease(
                    reason => EndAsync(PeerExitKind.Crashed, reason),
                    () => _state is not PeerState.Switching,
                    () => _state == PeerState.Running && _outgoing is not { IsHandedOver: true },
                    logger);
            }
        }
    }

    /// <summary>Not one of the steps that take turns: a lease is renewed whatever else is under way.</summary>
    public async Task<PeerStatus> ExtendLeaseAsync(PeerLease lease)
    {
        RequireEpoch(lease.Epoch);
        if (Lease is not { } right) throw PeerException.Conflict($"'{instance.Vm}' needs no lease.");
        if (_state == PeerState.Ended) throw PeerException.Conflict($"'{instance.Vm}' has ended.");
        await right.ExtendAsync(TimeSpan.FromMilliseconds(lease.UntilMs));
        return Status;
    }

    /// <summary>Before anything is started for it.</summary>
    private void RequireLease()
    {
        if (Lease is { IsInForce: false }) throw PeerException.Conflict($"'{instance.Vm}' has no lease, or it has run out: it may not run.");
    }

    private async Task RunGuestAsync()
    {
        await _machine!.RunAsync(async () =>
        {
            await GrantAsync();
            await _machine!.Qmp.ContinueAsync(CancellationToken.None);
            return true;
        });
    }
}
