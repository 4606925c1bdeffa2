using Architekt.Fabric.Network;
using Architekt.Fabric.Peer.Checkpoints;
using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Machine;

namespace Architekt.Fabric.Peer;

// Packages: resuming from one, and writing down what becomes one.
internal sealed partial class PeerService
{
    /// <summary>What a guest touches in so long is what it will touch when it starts the next time.</summary>
    private static readonly TimeSpan Beginning = TimeSpan.FromSeconds(1);

    /// <summary>An agent that has not answered by then does not answer.</summary>
    private static readonly TimeSpan LongestIntroduction = TimeSpan.FromSeconds(3);
    private (string Operation, PeerCheckpointed Answer)? _checkpointed;
    private Task? _prepared;
    private Task _introduced = Task.CompletedTask;

    public Task<PeerStatus> SetFillAsync(PeerFillMode fill) => LockedAsync(() =>
    {
        RequireEpoch(fill.Epoch);
        var mode = _machine?.Fill ?? throw PeerException.Conflict($"'{instance.Vm}' did not resume from a package on this host: its RAM is all there.");
        mode.SetMode(fill.Mode);
        return Task.FromResult(Status);
    });

    public async Task<PeerCheckpointed> CheckpointAsync(PeerCheckpoint checkpoint)
    {
        RequireEpoch(checkpoint.Epoch);
        if (IsRepeated(checkpoint, out var known)) return known;
        return await LockedAsync(async () =>
        {
            if (IsRepeated(checkpoint, out var answer)) return answer;
            Require(PeerState.Running);
            RefuseDuringMigration();
            await WaitUntilIntroducedAsync();
            var writer = new CheckpointWriter(_machine!, instance, _guest!, checkpoint, time);
            answer = await writer.WriteAsync(_ending.Token);
            PeerLog.Checkpointed(logger, checkpoint.Operation, answer.MemoryBytes, answer.StateBytes, answer.DiskBytes, answer.PauseMs);
            _checkpointed = (checkpoint.Operation, answer);
            if (checkpoint.KeepRunning) return answer;
            await _guest!.ForgetAsync();
            _ = EndAsync(PeerExitKind.Suspended, $"it was written down by operation {checkpoint.Operation}");
            return answer;
        });
    }

    public Task<PeerStatus> NameCheckpointAsync(PeerBaseName named) => LockedAsync(() =>
    {
        RequireEpoch(named.Epoch);
        var name = MemoryBases.CheckpointName(named.Operation);
        if (_machine?.Bases is not { } bases || !(bases.Names.Contains(name) || bases.Names.Contains(named.Name)))
            throw PeerException.Conflict($"Nothing is known of the RAM that '{instance.Vm}' had at checkpoint {named.Operation}.");
        _machine.Bases = bases.Renaming(name, named.Name);
        return Task.FromResult(Status);
    });

    private bool IsRepeated(PeerCheckpoint checkpoint, out PeerCheckpointed answer)
    {
        answer = _checkpointed?.Answer!;
        return _checkpointed?.Operation == checkpoint.Operation;
    }

    /// <summary>
    /// Starts QEMU and loads the package's devices while this peer itself is still starting, before it can be asked to. The guest does not run before it is: the grant is the gate, and that
    /// comes with <see cref="BootAsync"/>, which tells what went wrong, too.
    /// </summary>
    public void PrepareResume()
    {
        if (ResumesFromPackage) _prepared = LockedAsync(() => Task.Run(PrepareAsync));
    }

    private bool ResumesFromPackage => instance is { PackageMemoryPath: not null, PackageStatePath: not null };

    private async Task<bool> PrepareAsync()
    {
        // It said that it is up before it was packaged, and says so once.
        await StartMachineAsync(MachineStart.Resume, from: null, isLive: true);
        await DeviceStateFile.LoadAsync(_machine!, instance.PackageStatePath!, time);
        return true;
    }

    private async Task ResumeFromPackageAsync()
    {
        var began = time.GetTimestamp();
        try
        {
            await (_prepared ?? PrepareAsync());
            await RunGuestAsync();
        }
        catch (Exception error)
        {
            await EndAsync(PeerExitKind.StartFailed, error.Message);
            throw;
        }

        PeerLog.Resumed(logger, instance.Vm, time.GetElapsedTime(began).TotalMilliseconds);
        _introduced = IntroduceAsync();
        _ = RememberFirstAsync();
    }

    /// <summary>Nobody else will tell the guest what this peer has not: wherever it goes on, it is not for the first time.</summary>
    private async Task WaitUntilIntroducedAsync() =>
        await _introduced.WaitAsync(LongestIntroduction, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>Tells the guest what others hear of it, only then lets them, and leaves the rest of what it is told for later.</summary>
    private async Task IntroduceAsync()
    {
        try
        {
            if (instance.Identity is { } identity) await _guest!.IntroduceAsync(identity, instance.Mac, _ending.Token);
            if (_machine!.Tap is { } tap && _state != PeerState.Ended) LetOthersHear(tap);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        await TellResumedLaterAsync();
    }

    private async Task RememberFirstAsync()
    {
        await WaitUntilIntroducedAsync();
        await Task.Delay(Beginning, time, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_ending.IsCancellationRequested) _machine!.Fill?.RememberFirst(instance, logger);
    }

    private void LetOthersHear(TapDevice tap)
    {
        try
        {
            tap.SetUp(true);
        }
        catch (NetworkException error)
        {
            PeerLog.AnnounceFailed(logger, error.Message);
            return;
        }

        Announce(tap);
    }
}
