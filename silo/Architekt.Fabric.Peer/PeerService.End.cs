using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Machine;
using Architekt.Fabric.Qemu;

namespace Architekt.Fabric.Peer;

// The end of the VM, asked for or not: what is left of it, and why it came.
internal sealed partial class PeerService
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _ending = new();
    private bool _guestShutDown;
    private int _endBegun;

    /// <summary>Raised once the VM is gone and its end is written down.</summary>
    public event Action? Ended;

    /// <summary>Ends QEMU, if it runs, and writes down why. Only the first call counts.</summary>
    public async Task EndAsync(PeerExitKind kind, string reason)
    {
        if (Interlocked.Exchange(ref _endBegun, 1) == 1)
        {
            await _ended.Task;
            return;
        }

        // Its QEMU is not known before it has started, and would be left behind.
        if (_prepared is not null) await _prepared.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            _lease?.Dispose();
            await _ending.CancelAsync();
            _machine?.Process.Kill();
            _incoming?.Fail(reason);
            if (_outgoing is not null) await _outgoing.DisposeAsync();
            if (_incoming is not null) await _incoming.DisposeAsync();
            if (_machine is not null) await _machine.DisposeAsync();
        }
        catch (Exception error)
        {
            // Whatever could not be closed is closed by the end of this process, which must not be held up.
            PeerLog.CloseFailed(logger, error);
        }

        _state = PeerState.Ended;
        KeepOrDeleteMemory();
        await folder.WriteExitAsync(new PeerExit(instance.Epoch, kind, reason));
        PeerLog.Ended(logger, instance.Vm, instance.Epoch, kind, reason);
        _ended.SetResult();

        // Not from here: stopping the application waits for whoever is told to stop, and that may be waiting for this.
        _ = Task.Run(() => Ended?.Invoke());
    }

    private void KeepOrDeleteMemory()
    {
        try
        {
            if (_keepMemory is not null) File.Move(folder.Memory, _keepMemory, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            PeerLog.MemoryNotKept(logger, _keepMemory!, error.Message);
        }

        File.Delete(folder.Memory);
    }

    /// <summary>A guest of this instance's own that never ran was not started, whoever notices first.</summary>
    private PeerExitKind HowItFailed() => _granted == 0 && _incoming is null ? PeerExitKind.StartFailed : PeerExitKind.Crashed;

    private async Task WatchExitAsync(VmMachine machine)
    {
        // A signal to QEMU is announced as a shutdown, too, and is none of the guest's.
        var shutDown = machine.Qmp.WaitForEventAsync(
            QmpEventNames.Shutdown, static done => done.DataString("reason") == "guest-shutdown", _ending.Token);
        _ = shutDown.ContinueWith(task => _guestShutDown = task.IsCompletedSuccessfully, TaskScheduler.Default);
        var code = await machine.Process.WaitForExitAsync(CancellationToken.None);
        await ((Task)shutDown).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // Whoever asks for it to run is told why it cannot, and is still to be answered.
        if (_prepared is not null && _granted == 0) return;
        if (_guestShutDown || shutDown.IsCompletedSuccessfully)
            await EndAsync(PeerExitKind.ShutDown, "the guest shut down");
        else
            await EndAsync(HowItFailed(), _lease is { HasRunOut: true }
                ? "its lease ran out"
                : $"QEMU ended with code {code}: {machine.Process.ReadStandardErrorTail()}");
    }
}
