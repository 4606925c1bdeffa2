using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Architekt.Fabric.Nbd;
using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Machine;
using Architekt.Fabric.Qemu;

namespace Architekt.Fabric.Peer.Migration;

/// <summary>The destination's side of one migration: exports for RAM, device state and disk, and the loading of it all. It never runs the guest.</summary>
internal sealed class IncomingMigration : IDeviceStateLoader, IAsyncDisposable
{
    private const string StateSocket = "state-in.sock";
    private static readonly TimeSpan LoadDeadline = TimeSpan.FromSeconds(10);
    private readonly VmMachine _machine;
    private readonly PeerIncoming _options;
    private readonly NbdServer _server;
    private readonly TaskCompletionSource<PeerLoaded> _loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _ending = new();
    private readonly ReceivedPages _received;
    private IReadOnlyList<KnownBase> _known = [];
    private GuestMemoryExport? _memory;
    private DiskReceiver? _disk;
    private Socket? _state;
    private Task<QmpEvent>? _completed;
    private int _disposeBegun;

    private IncomingMigration(VmMachine machine, PeerIncoming options, TimeProvider time, ILogger logger)
    {
        _machine = machine;
        _options = options;
        _time = time;
        _logger = logger;
        _received = new ReceivedPages(machine.Memory.Length);
        _server = new NbdServer(new NbdServerOptions { Logger = logger, TimeProvider = time });
    }

    public string Operation => _options.Operation;

    public PeerOffer Offer { get; private set; } = null!;

    /// <summary>When the source's last FLUSH arrived: here the destination's part of the pause begins.</summary>
    public DateTimeOffset StateArrivedAt { get; private set; }

    /// <summary>Ends when the device state is loaded, or cannot be.</summary>
    public Task<PeerLoaded> Loaded => _loaded.Task;

    public bool IsLoaded => _loaded.Task is { IsCompletedSuccessfully: true, Result.IsLoaded: true };

    public static async Task<IncomingMigration> StartAsync(
        VmMachine machine, PeerInstance instance, PeerIncoming options, TimeProvider time, ILogger logger)
    {
        var incoming = new IncomingMigration(machine, options, time, logger);
        try
        {
            await incoming.OpenAsync(instance);
            return incoming;
        }
        catch
        {
            await incoming.DisposeAsync();
            throw;
        }
    }

    /// <summary>QEMU ended, so it will never be loaded.</summary>
    public void Fail(string reason) => _loaded.TrySetResult(new PeerLoaded(IsLoaded: false, reason, 0, null));

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposeBegun, 1) == 1) return;
        Fail("it was given up");
        await _ending.CancelAsync();
        await _server.DisposeAsync();
        if (_disk is not null) await _disk.DisposeAsync();
        _state?.Dispose();
        if (_completed is not null) await ((Task)_completed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    public async Task<bool> FeedAsync(ReadOnlyMemory<byte> state, CancellationToken cancellationToken)
    {
        try
        {
            if (_state is null)
            {
                _completed = _machine.Qmp.WaitForMigrationAsync(MigrationStatus.Completed, _ending.Token);
                _state = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await _state.ConnectAsync(new UnixDomainSocketEndPoint(_machine.Folder.InQemu(StateSocket)), cancellationToken);
            }

            while (state.Length > 0) state = state[await _state.SendAsync(state, cancellationToken)..];
            return true;
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            PeerLog.LoadFailed(_logger, error);
            return false;
        }
    }

    public async Task<bool> LoadAsync(ReadOnlyMemory<byte> rest)
    {
        StateArrivedAt = _time.GetUtcNow();
        _memory!.Close();
        try
        {
            var digest = _options.Verify ? await Task.Run(() => _machine.Memory.ComputeDigest(CancellationToken.None)) : null;
            var began = Stopwatch.GetTimestamp();
            using var deadline = new CancellationTokenSource(LoadDeadline, _time);
            if (_disk is not null) await _disk.CloseExportAsync();
            if (!await FeedAsync(rest, deadline.Token))
                throw PeerException.Failed($"QEMU does not take the device state: {_machine.Process.ReadStandardErrorTail()}");
            if ((await _completed!.WaitAsync(deadline.Token)).MigrationStatus != MigrationStatus.Completed)
                throw PeerException.Failed($"QEMU refused the device state: {_machine.Process.ReadStandardErrorTail()}");

            var ms = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            PeerLog.Loaded(_logger, ms);
            NoteBases();
            return _loaded.TrySetResult(new PeerLoaded(IsLoaded: true, null, ms, digest));
        }
        catch (Exception error)
        {
            PeerLog.LoadFailed(_logger, error);
            Fail($"The device state could not be loaded: {error.Message}");
            return false;
        }
    }

    private async Task OpenAsync(PeerInstance instance)
    {
        var address = IPAddress.Parse(instance.DataAddress);
        var memoryName = $"memory-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}";
        var stateName = $"state-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}";
        if (instance.OverlayDiskPath is not null) _disk = await DiskReceiver.StartAsync(_machine, address, _time);
        var basesName = _machine.Tracker is null ? null : $"bases-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}";
        _memory = new GuestMemoryExport(memoryName, _machine.Memory, _received, _disk);
        _server.AddExport(_memory);
        _server.AddExport(new DeviceStateExport(stateName, this));
        if (basesName is not null) _server.AddExport(new BasesExport(basesName, _machine.Memory.Length, TakeBases));
        var endPoint = (IPEndPoint)_server.Listen(new IPEndPoint(address, 0));
        await _machine.Qmp.MigrateIncomingAsync($"unix:{_machine.Folder.InQemu(StateSocket)}", CancellationToken.None);
        Offer = new PeerOffer(
            instance.DataAddress, endPoint.Port, memoryName, stateName, _disk?.Port ?? 0, _disk?.Token ?? "", _machine.BaseName, basesName);
    }

    /// <summary>What came so far is in these sets, as far as it differs; what comes from now on is not.</summary>
    private void TakeBases(IReadOnlyList<KnownBase> known)
    {
        _received.Clear();
        _known = known;
    }

    /// <summary>All has come: from now on only what the guest writes here adds to what differs. That includes what its devices wrote while they were loaded.</summary>
    private void NoteBases()
    {
        if (_machine.Tracker is not { } tracker) return;
        var received = _received.ToSet();
        var visit = _known.Count - 1;
        for (var i = 0; i < visit; i++) _known[i].Differing.UnionWith(received);
        _machine.Bases = new MemoryBases(tracker, _known);
    }
}
