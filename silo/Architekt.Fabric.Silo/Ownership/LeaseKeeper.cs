using Architekt.Fabric.Grains;
using Architekt.Fabric.Memory;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Silo.Peers;
using Microsoft.Extensions.Options;

namespace Architekt.Fabric.Silo.Ownership;

/// <summary>
/// Renews the leases of the VMs with fail-over that run here: one statement for all of them, then each peer is told. What a peer is told counts from before Postgres
/// was asked, so it never has more time than the row says.
/// </summary>
internal sealed partial class LeaseKeeper(
    PeerSupervisor peers, IOwnershipStore ownership, IOptions<FabricOptions> options, TimeProvider time, ILogger<LeaseKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PeerDeadline = TimeSpan.FromSeconds(2);

    private TimeSpan Duration => options.Value.LeaseDuration;

    /// <summary>A guest is about to run: its lease, if it needs one. Throws <see cref="FabricErrorCode.StaleEpoch"/> if the VM is not this host's with this epoch any more.</summary>
    public async Task GrantAsync(SupervisedPeer peer, CancellationToken cancellationToken)
    {
        if (!peer.Instance.HasLease) return;
        var (vm, epoch) = (peer.Instance.Vm, peer.Instance.Epoch);
        var until = BootClock.Now + Duration;
        var own = await ownership.RenewLeasesAsync(options.Value.HostName, [(vm, epoch)], Duration, cancellationToken);
        if (own.Count == 0) throw FabricException.StaleEpoch($"'{vm}' may not run on '{options.Value.HostName}' with epoch {epoch}: it has changed hands.");
        await peer.Client.LeaseAsync(new PeerLease(epoch, (long)until.TotalMilliseconds), cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LookInterval, time);
        var next = TimeSpan.Zero;
        var known = new HashSet<SupervisedPeer>();
        do
        {
            // A new silo has just found again what the one before has left, and that one's last renewal was some time ago.
            var leased = peers.Peers.Where(static peer => peer.Instance.HasLease && !peer.Ended.IsCompleted).ToHashSet();
            if (leased.Count == 0 || (BootClock.Now < next && leased.IsSubsetOf(known))) continue;
            try
            {
                next = BootClock.Now + (Duration / 3);
                await RenewAsync(leased, stoppingToken);
                known = leased;
            }
            catch (Exception error) when (error is FabricException || (error is OperationCanceledException && !stoppingToken.IsCancellationRequested))
            {
                LogNotRenewed(error.Message);
                next = BootClock.Now + RetryInterval;
                known = leased;
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task RenewAsync(IReadOnlyCollection<SupervisedPeer> leased, CancellationToken cancellationToken)
    {
        var until = BootClock.Now + Duration;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Duration / 3);
        var own = await ownership.RenewLeasesAsync(
            options.Value.HostName, [.. leased.Select(static peer => (peer.Instance.Vm, peer.Instance.Epoch))], Duration, deadline.Token);
        await Task.WhenAll(leased.Where(peer => own.Contains((peer.Instance.Vm, peer.Instance.Epoch))).Select(peer => TellAsync(peer, until, cancellationToken)));
    }

    /// <summary>One that does not answer keeps nobody waiting; its guest stops when its time is over.</summary>
    private async Task TellAsync(SupervisedPeer peer, TimeSpan until, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(PeerDeadline);
        try
        {
            await peer.Client.LeaseAsync(new PeerLease(peer.Instance.Epoch, (long)until.TotalMilliseconds), deadline.Token);
        }
        catch (Exception error) when (error is FabricException or ObjectDisposedException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogNotTold(peer.Instance.Vm, error.Message);
        }
    }

    [LoggerMessage(2401, LogLevel.Warning, "The leases of this host's VMs could not be renewed: {Reason}")]
    private partial void LogNotRenewed(string reason);

    [LoggerMessage(2402, LogLevel.Warning, "The peer of {Vm} could not be told of its lease: {Reason}")]
    private partial void LogNotTold(string vm, string reason);
}
