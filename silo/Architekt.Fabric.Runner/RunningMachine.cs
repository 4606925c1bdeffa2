using Architekt.Fabric.Packages;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Peers;
using Architekt.Fabric.Processes;
using Architekt.Fabric.Qemu;
using Architekt.Fabric.Runner.Machine;
using Architekt.Fabric.Runner.State;
using ProcessIdentity = Architekt.Fabric.Processes.ProcessIdentity;

namespace Architekt.Fabric.Runner;

/// <summary>A machine that runs for as long as this object and this process live.</summary>
public sealed class RunningMachine : IAsyncDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan _liveInterval = TimeSpan.FromMilliseconds(100);
    private readonly RunnerOptions _options;
    private readonly HostFacts _host;
    private readonly MachineFolder _folder;
    private readonly RunnerPackages _packages;
    private readonly PackageLease _lease;
    private readonly MachinePlan _plan;
    private readonly InstanceFolder _runtime;
    private readonly PeerClient _client;
    private readonly ProcessIdentity _peer;
    private readonly TimeProvider _time;
    private volatile bool _endAsked;

    internal RunningMachine(
        string name, RunnerOptions options, HostFacts host, MachineFolder folder, RunnerPackages packages, PackageLease lease, MachinePlan plan, InstanceFolder runtime,
        PeerClient client, ProcessIdentity peer, TimeProvider time)
    {
        Name = name;
        _options = options;
        _host = host;
        _folder = folder;
        _packages = packages;
        _lease = lease;
        _plan = plan;
        _runtime = runtime;
        _client = client;
        _peer = peer;
        _time = time;
        Ended = WatchAsync();
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Digest of its package.</summary>
    public string Package => _plan.Record.Package;

    /// <summary>How it began.</summary>
    public RunStart Start => _plan.Start;

    /// <summary>From when its package was there to when its guest ran.</summary>
    public TimeSpan StartTime { get; internal init; }

    /// <summary>Its RAM, in bytes.</summary>
    public long MemoryBytes => _plan.Record.MemoryBytes;

    /// <summary>IPv4 address and prefix length of its guest, as far as is known; null without a network card.</summary>
    public string? GuestAddress => _plan.Record.Address;

    /// <summary>Ports of this machine that lead to the guest.</summary>
    public IReadOnlyList<PortForward> Forwards => _options.Forwards;

    /// <summary>All that its console has printed since it began to run.</summary>
    public string ConsoleLogPath => _folder.ConsoleLog;

    /// <summary>Unix socket of its serial console (<see cref="SerialConsole"/>).</summary>
    public string ConsoleSocketPath => Path.Combine(_runtime.Path, PeerApi.QemuFolder, PeerApi.ConsoleSocket);

    /// <summary>Completes when the machine does not run any more and what is to be kept of it is safe.</summary>
    public Task<RunEnd> Ended { get; }

    /// <summary>What the machine is doing.</summary>
    /// <exception cref="RunnerException">It does not run any more.</exception>
    public async Task<PeerStatus> GetStatusAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _client.GetStatusAsync(cancellationToken);
        }
        catch (PeerCallException error)
        {
            throw new RunnerException(RunnerErrorCode.Failed, error.Message, error);
        }
    }

    /// <summary>Waits until the guest says that it is up. One that resumed has said so before.</summary>
    /// <returns>False when the machine has ended.</returns>
    public async Task<bool> WaitUntilLiveAsync(CancellationToken cancellationToken)
    {
        while (!Ended.IsCompleted)
        {
            try
            {
                if ((await GetStatusAsync(cancellationToken)).IsLive) return true;
            }
            catch (RunnerException)
            {
                // It is ending: the next look tells.
            }

            await Task.Delay(_liveInterval, _time, cancellationToken);
        }

        return false;
    }

    /// <summary>Writes the machine down and ends it. It goes on from here when it is run again.</summary>
    /// <returns>What that took.</returns>
    /// <exception cref="RunnerException">
    /// <see cref="RunnerErrorCode.Refused"/> when the guest does not want to, otherwise it failed; the guest goes on, and what was suspended before is still there.
    /// </exception>
    public async Task<RunSuspension> SuspendAsync()
    {
        var began = _time.GetTimestamp();
        var folder = _folder.BeginState();
        PeerCheckpointed made;
        try
        {
            made = await _client.CheckpointAsync(new PeerCheckpoint(MachinePlan.Epoch, Guid.NewGuid().ToString("N"), folder, KeepRunning: false), CancellationToken.None);
        }
        catch (PeerCallException error)
        {
            Directory.Delete(folder, recursive: true);
            var code = error.Code == "Refused" ? RunnerErrorCode.Refused : RunnerErrorCode.Failed;
            throw new RunnerException(code, $"'{Name}' could not be suspended: {error.Message}", error);
        }

        await CommitAsync(folder, hasMemory: true);
        await Ended;
        return new RunSuspension(folder, _time.GetElapsedTime(began).TotalMilliseconds, made.MemoryBytes, made.StateBytes, made.DiskBytes);
    }

    /// <summary>Ends the machine at once, as if its power had been cut.</summary>
    public async Task EndAsync()
    {
        _endAsked = true;
        _peer.Kill(ProcessSignal.Kill);
        await Ended;
    }

    /// <summary>Ends the machine, if it runs, and removes what is not to be kept.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await EndAsync();
        }
        finally
        {
            _client.Dispose();
            _runtime.Delete();
            _folder.Clean();
            if (_options.Remove) _folder.Delete();
            _lease.Dispose();
            _folder.Dispose();
            await _packages.SweepAsync(CancellationToken.None);
        }
    }

    private async Task<RunEnd> WatchAsync()
    {
        await _peer.WaitForExitAsync(Timeout.InfiniteTimeSpan);
        await Leftovers.EndQemuAsync(_runtime);
        if (_runtime.ReadExit() is not { } exit)
            return _endAsked ? new RunEnd(RunEndKind.Ended, "it was ended") : new RunEnd(RunEndKind.Crashed, $"its peer ended unexpectedly: {_runtime.LastWords()}");
        if (exit.Kind == PeerExitKind.ShutDown && !_options.Remove) await KeepDiskAsync();
        return exit.Kind switch
        {
            PeerExitKind.Suspended => new RunEnd(RunEndKind.Suspended, exit.Reason),
            PeerExitKind.ShutDown => new RunEnd(RunEndKind.ShutDown, exit.Reason),
            PeerExitKind.Killed => new RunEnd(RunEndKind.Ended, exit.Reason),
            _ => new RunEnd(RunEndKind.Crashed, exit.Reason),
        };
    }

    /// <summary>A machine that was switched off has its disk when it is switched on again.</summary>
    private async Task KeepDiskAsync()
    {
        var folder = _folder.BeginState();
        try
        {
            var disk = Path.Combine(folder, PeerApi.CheckpointDisk);
            await new QemuImg().FlattenAsync(_folder.Overlay, disk, CancellationToken.None);
            using (var file = File.OpenHandle(disk, FileMode.Open, FileAccess.ReadWrite)) RandomAccess.FlushToDisk(file);
        }
        catch (QemuImgException error)
        {
            throw new RunnerException(
                RunnerErrorCode.Failed, $"'{Name}' shut down, but what it has written since it began to run could not be kept: {error.Message}", error);
        }

        await CommitAsync(folder, hasMemory: false);
    }

    private async Task CommitAsync(string folder, bool hasMemory)
    {
        // A guest's RAM and disk are nobody else's business; QEMU's own user reads the disk.
        foreach (var file in Directory.EnumerateFiles(folder)) File.SetUnixFileMode(file, OwnerOnly);
        FileOwner.Give(Path.Combine(folder, PeerApi.CheckpointDisk), _host.QemuUserId);
        await _folder.CommitAsync(folder, _plan.Record with { HasMemory = hasMemory, QemuVersion = _host.Qemu.ToString(), SavedAt = _time.GetUtcNow() });
    }
}
