using System.Collections.Concurrent;
using Architekt.Fabric.Grains;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Peers;
using Architekt.Fabric.Processes;
using Microsoft.Extensions.Options;

namespace Architekt.Fabric.Silo.Peers;

/// <summary>
/// Starts peers, finds them again after a restart of the silo, and clears up after them. It never ends a peer because the silo ends:
/// the VMs run on.
/// </summary>
internal sealed partial class PeerSupervisor(
    IOptions<FabricOptions> options, IVmStore vms, TimeProvider time, ILogger<PeerSupervisor> logger) : IDisposable
{
    private static readonly TimeSpan AnswerDeadline = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LivenessInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan StoreRetryInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan QemuDeadline = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<(string Vm, long Epoch), SupervisedPeer> _peers = new();
    private readonly ConcurrentDictionary<string, bool> _starting = new();
    private readonly CancellationTokenSource _stopping = new();

    private FabricOptions Options => options.Value;

    /// <summary>The peers there are now.</summary>
    public ICollection<SupervisedPeer> Peers => _peers.Values;

    public SupervisedPeer? Find(string vm, long epoch) => _peers.GetValueOrDefault((vm, epoch));

    /// <summary>Whether the peer of a VM at an epoch is being started just now.</summary>
    public bool IsStarting(string vm, long epoch) => _starting.ContainsKey(InstanceFolder.For(Options.EffectiveRuntimeFolder, vm, epoch).Path);

    /// <summary>The peer of a VM at an epoch; throws <see cref="FabricErrorCode.StaleEpoch"/> or <see cref="FabricErrorCode.NotFound"/>.</summary>
    public SupervisedPeer Require(string vm, long epoch)
    {
        if (Find(vm, epoch) is { } peer) return peer;
        var other = _peers.Keys.FirstOrDefault(key => key.Vm == vm);
        throw other.Vm is null
            ? FabricException.NotFound($"'{vm}' is not running on '{Options.HostName}'.")
            : FabricException.StaleEpoch($"'{vm}' is on '{Options.HostName}' with epoch {other.Epoch}, not {epoch}.");
    }

    /// <summary>Starts a peer and waits until it answers. Leaves nothing behind if it does not.</summary>
    /// <param name="instance">What to start.</param>
    /// <param name="keepsDisk">Whether the disk is there already, and stays whatever happens.</param>
    /// <param name="cancellationToken">Ends it; nothing is left.</param>
    public async Task<SupervisedPeer> StartAsync(PeerInstance instance, bool keepsDisk, CancellationToken cancellationToken)
    {
        var folder = InstanceFolder.For(Options.EffectiveRuntimeFolder, instance.Vm, instance.Epoch);
        if (Directory.Exists(folder.Path))
            throw FabricException.Conflict($"'{instance.Vm}' has an instance with epoch {instance.Epoch} on '{instance.Host}' already.");
        _starting[folder.Path] = true;
        SupervisedPeer? peer = null;
        try
        {
            await folder.CreateAsync(instance, keepsDisk, cancellationToken);
            var process = await PeerProcess.StartAsync(Options.PeerPath, folder, outlives: true, cancellationToken);
            peer = new SupervisedPeer(folder, instance, process);
            _peers[(instance.Vm, instance.Epoch)] = peer;
            await PeerProcess.WaitUntilAnsweringAsync(peer.Client, process, time, cancellationToken);
            _ = WatchAsync(peer);
            return peer;
        }
        catch (Exception error)
        {
            // Read before the watcher sees the end, because it clears the folder.
            var words = folder.LastWords();
            if (peer is not null) _ = WatchAsync(peer);
            await EndAsync(instance.Vm, instance.Epoch);
            folder.Delete();
            if (error is not (CommandFailedException or ToolMissingException or IOException or TimeoutException)) throw;
            throw new FabricException(FabricErrorCode.Failed, $"The peer of '{instance.Vm}' did not start on '{instance.Host}': {error.Message} ({words})", innerException: error);
        }
        finally
        {
            _starting.TryRemove(folder.Path, out _);
        }
    }

    /// <summary>Kills a peer and its QEMU and waits until nothing of them is left. For what has no claim to run: see the callers.</summary>
    public async Task EndAsync(string vm, long epoch)
    {
        if (Find(vm, epoch) is not { } peer) return;
        peer.Process.Kill(ProcessSignal.Kill);
        await peer.Ended;
    }

    /// <summary>Watches for the guest saying that it is up, and records it.</summary>
    public void WatchLiveness(SupervisedPeer peer) => _ = WatchLivenessAsync(peer);

    /// <summary>Finds the peers of a former silo again and clears up after those that have ended.</summary>
    public async Task AdoptAsync(CancellationToken cancellationToken)
    {
        foreach (var folder in InstanceFolder.All(Options.EffectiveRuntimeFolder, FabricNames.IsValid))
        {
            // What is just being started here is nobody's leaving: it has no process to show yet.
            if (_starting.ContainsKey(folder.Path)) continue;
            if (folder.ReadInstance() is not { } instance)
            {
                LogUnreadable(folder.Path);
                folder.Delete();
                continue;
            }

            if (_peers.ContainsKey((instance.Vm, instance.Epoch))) continue;
            var identity = folder.ReadIdentity();
            var process = identity is null ? default : new ProcessIdentity(identity.PeerPid, identity.PeerStartTicks);
            var peer = new SupervisedPeer(folder, instance, process, isFound: true);
            _peers[(instance.Vm, instance.Epoch)] = peer;
            _ = WatchAsync(peer);
            if (identity is not null && process.IsAlive())
            {
                LogAdopted(instance.Vm, instance.Epoch, process.Pid);
                await WatchLivenessIfBootingAsync(peer, cancellationToken);
            }
        }
    }

    public void Dispose()
    {
        if (_stopping.IsCancellationRequested) return;
        _stopping.Cancel();
        foreach (var peer in _peers.Values) peer.Dispose();
        _stopping.Dispose();
    }

    /// <summary>A peer that does not answer keeps neither its own watcher nor the others from being found again.</summary>
    private async Task WatchLivenessIfBootingAsync(SupervisedPeer peer, CancellationToken cancellationToken)
    {
        try
        {
            var status = await peer.Client.GetStatusAsync(cancellationToken).WaitAsync(AnswerDeadline, time, cancellationToken);
            if (!status.IsLive && status.State == PeerState.Running) WatchLiveness(peer);
        }
        catch (Exception error) when (error is FabricException or TimeoutException or ObjectDisposedException)
        {
            LogNeverLive(peer.Instance.Vm, error.Message);
        }
    }

    private async Task WatchAsync(SupervisedPeer peer)
    {
        try
        {
            while (peer.Process.Pid != 0 && !await peer.Process.WaitForExitAsync(TimeSpan.FromMinutes(1), _stopping.Token))
            {
            }

            await ClearUpAsync(peer, _stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // The silo ends, the VM does not.
        }
        catch (Exception error)
        {
            // Its folder is still there, so the next silo clears up; until then nobody waits for it.
            LogWatchFailed(peer.Instance.Vm, peer.Instance.Epoch, error);
            _peers.TryRemove((peer.Instance.Vm, peer.Instance.Epoch), out _);
            peer.MarkEnded();
        }
    }

    private async Task ClearUpAsync(SupervisedPeer peer, CancellationToken cancellationToken)
    {
        var (vm, epoch) = (peer.Instance.Vm, peer.Instance.Epoch);
        var exit = peer.Folder.ReadExit() ?? new PeerExit(epoch, PeerExitKind.Crashed, $"its peer ended unexpectedly: {peer.Folder.LastWords()}");
        if (peer.Folder.ReadIdentity() is { QemuPid: > 0 } identity)
        {
            var qemu = new ProcessIdentity(identity.QemuPid, identity.QemuStartTicks);
            if (qemu.Kill(ProcessSignal.Kill)) await qemu.WaitForExitAsync(QemuDeadline, cancellationToken);
        }

        LogEnded(vm, epoch, exit.Kind, exit.Reason);
        if (exit.Kind is PeerExitKind.ShutDown or PeerExitKind.Killed or PeerExitKind.Suspended)
            await RecordAsync(vm, epoch, VmState.Stopped, exit.Reason, $"'{vm}' stopped: {exit.Reason}", cancellationToken);
        else if (exit.Kind == PeerExitKind.Crashed)
            await RecordAsync(vm, epoch, VmState.Failed, exit.Reason, $"'{vm}' failed: {exit.Reason}", cancellationToken);
        else if (!(exit.Kind == PeerExitKind.StartFailed && peer.Folder.KeepsDisk))
            DeleteDisk(peer.Instance);

        // Last, because the folder is what a next silo would find this end by.
        peer.Folder.Delete();
        _peers.TryRemove((vm, epoch), out _);
        peer.MarkEnded();
        peer.Dispose();
    }

    private async Task WatchLivenessAsync(SupervisedPeer peer)
    {
        try
        {
            // A guest says once that it is up, and may have said so where it came from.
            while (!(await peer.Client.GetStatusAsync(_stopping.Token)).IsLive)
            {
                await Task.Delay(LivenessInterval, time, _stopping.Token);
                if (await vms.FindAsync(peer.Instance.Vm, _stopping.Token) is not { Info.State: VmState.Booting }) return;
            }

            await RecordAsync(peer.Instance.Vm, peer.Instance.Epoch, VmState.Running, null, $"'{peer.Instance.Vm}' is up", _stopping.Token);
        }
        catch (OperationCanceledException)
        {
        }
        catch (Exception error) when (error is FabricException or ObjectDisposedException)
        {
            // It ended before it was up; its end is recorded by its watcher.
            LogNeverLive(peer.Instance.Vm, error.Message);
        }
    }

    private async Task RecordAsync(string vm, long epoch, VmState state, string? reason, string message, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                // The epoch alone does not say whose state it is: a name that was deleted and is used again has its epochs again.
                var isOurs = await vms.FindAsync(vm, cancellationToken) is { } row && row.Info.Host == Options.HostName;
                if (!isOurs || !await vms.SetStateAsync(vm, epoch, state, reason, message, cancellationToken)) LogStaleState(vm, epoch, state);
                return;
            }
            catch (FabricException error) when (error.IsTransient)
            {
                LogStoreUnavailable(vm, error.Message);
                await Task.Delay(StoreRetryInterval, time, cancellationToken);
            }
        }
    }

    private static void DeleteDisk(PeerInstance instance)
    {
        if (instance.OverlayDiskPath is not null) File.Delete(instance.OverlayDiskPath);
        File.Delete(instance.ConsoleLogPath);
    }

    [LoggerMessage(2001, LogLevel.Information, "Found {Vm} with epoch {Epoch} again: peer {Pid} runs")]
    private partial void LogAdopted(string vm, long epoch, int pid);

    [LoggerMessage(2002, LogLevel.Information, "{Vm} with epoch {Epoch} ended: {Kind}, {Reason}")]
    private partial void LogEnded(string vm, long epoch, PeerExitKind kind, string reason);

    [LoggerMessage(2003, LogLevel.Warning, "{Folder} has no readable instance file and is removed")]
    private partial void LogUnreadable(string folder);

    [LoggerMessage(2004, LogLevel.Error, "Watching {Vm} with epoch {Epoch} failed")]
    private partial void LogWatchFailed(string vm, long epoch, Exception error);

    [LoggerMessage(2005, LogLevel.Debug, "{Vm} was not seen coming up: {Reason}")]
    private partial void LogNeverLive(string vm, string reason);

    [LoggerMessage(2006, LogLevel.Information, "{Vm} no longer has epoch {Epoch}; its state {State} is not recorded")]
    private partial void LogStaleState(string vm, long epoch, VmState state);

    [LoggerMessage(2007, LogLevel.Warning, "The state of {Vm} cannot be recorded now: {Reason}")]
    private partial void LogStoreUnavailable(string vm, string reason);
}
