using System.Globalization;
using Architekt.Fabric.Memory;
using Architekt.Fabric.Network;
using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Processes;
using Architekt.Fabric.Qemu;

namespace Architekt.Fabric.Peer.Machine;

/// <summary>One QEMU with all that is its own: RAM file, TAP, control connection. Starts paused, whatever it is for.</summary>
internal sealed class VmMachine : IAsyncDisposable
{
    private const string QmpSocket = "qmp.sock";
    private const string LivenessSocket = "liveness.sock";
    private const string AgentSocketName = "agent.sock";
    private const string ArmingReport = "armed";
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan CancelPoll = TimeSpan.FromMilliseconds(2);

    /// <summary>QEMU's own default of 128 MiB/s would throttle the device state.</summary>
    private const long UnlimitedBandwidth = 1L << 40;

    private VmMachine(PeerFolder folder, DirtyTrackingSupport tracking)
    {
        Folder = folder;
        Tracking = tracking;
    }

    public PeerFolder Folder { get; }

    public GuestMemory Memory { get; private set; } = null!;

    public TapDevice? Tap { get; private set; }

    /// <summary>Between the guest's card and a network that takes no TAP; QEMU's only, once it runs.</summary>
    private PrivateCable? Cable { get; set; }

    public QemuProcess Process { get; private set; } = null!;

    /// <summary>Ends QEMU when the guest's lease is over; null for a guest that needs none.</summary>
    public LeaseSwitch? Lease { get; private set; }

    /// <summary>The guest's right to run where it is a lease; null where nothing but a grant is needed.</summary>
    public GuestLease? Right { get; private set; }

    public QmpClient Qmp { get; private set; } = null!;

    /// <summary>Whether the kernel could track the guest's writes when QEMU was started.</summary>
    public DirtyTrackingSupport Tracking { get; }

    /// <summary>Where QEMU has its RAM under write protection; null on a kernel that cannot.</summary>
    public ArmedMapping? Armed { get; private set; }

    /// <summary>Knows all that the guest has written since it came here, or since its first checkpoint; null for one that booted here, whose RAM nobody else has anything of.</summary>
    public DirtyTracker? Tracker { get; private set; }

    /// <summary>What is known of RAM that others may have; null as long as that is not clear.</summary>
    public MemoryBases? Bases { get; set; }

    /// <summary>What the RAM held at the start, by <see cref="PeerBase.Name"/>; null if it was all hole.</summary>
    public string? BaseName { get; private set; }

    /// <summary>RAM that comes from the package while the guest runs; null where all is there.</summary>
    public PackageFill? Fill { get; private set; }

    /// <summary>Whether this guest's devices must not be loaded before the hand-over: it was seen that writing them out changes its RAM.</summary>
    public bool HoldsBackState { get; set; }

    public string AgentSocket => Folder.InQemu(AgentSocketName);

    public string LivenessSocketPath => Folder.InQemu(LivenessSocket);

    public static async Task<VmMachine> StartAsync(
        PeerInstance instance, PeerFolder folder, DirtyTrackingSupport tracking, MachineStart start, PeerBase? from, GuestLease? right, TimeProvider time,
        ILogger logger)
    {
        var machine = new VmMachine(folder, tracking) { Right = right };
        try
        {
            await machine.OpenAsync(instance, start, from, time, logger);
            right?.Attach(machine);
            return machine;
        }
        catch (Exception error)
        {
            var ended = machine.Process is { HasExited: true } process ? process.CreateStartException().Message : null;
            if (ended is null && error is OperationCanceledException) ended = $"QEMU did not answer within {StartDeadline.TotalSeconds} s";
            await machine.DisposeAsync();

            // Or the host's memory would stay taken for as long as the folder is there.
            File.Delete(folder.Memory);
            throw error as PeerException ?? PeerException.Failed($"'{instance.Vm}' could not be started on '{instance.Host}': {ended ?? error.Message}");
        }
    }

    /// <summary>From now on all that the guest writes is known, also between migrations.</summary>
    public void KeepTracking(DirtyTracker tracker) => Tracker ??= tracker;

    /// <summary>A device state that is being written is cancelled; QEMU then runs the guest again by itself if it had stopped it.</summary>
    public async Task CancelDeviceStateAsync(TimeProvider time)
    {
        while (true)
        {
            var status = (await Qmp.QueryMigrateAsync(CancellationToken.None)).Status;
            if (status is MigrationStatus.Setup or MigrationStatus.Active or MigrationStatus.PreSwitchover or MigrationStatus.Device)
                await Qmp.MigrateCancelAsync(CancellationToken.None);
            else if (status != MigrationStatus.Cancelling)
                return;
            await Task.Delay(CancelPoll, time);
        }
    }

    /// <summary>Stops the guest for something that must find it standing still, until <see cref="GoOnAsync"/>.</summary>
    public Task HoldAsync(CancellationToken cancellationToken)
    {
        return Right is null ? Stop() : Right.HoldAsync(Stop);

        Task Stop() => Qmp.StopAsync(cancellationToken);
    }

    /// <summary>Lets the guest go on after it was stopped for something else, as far as its right to run allows.</summary>
    public Task GoOnAsync(TimeProvider time)
    {
        return Right is null ? GoOn() : Right.GoOnAsync(GoOn);

        Task GoOn() => Qmp.ContinueAfterMigrationAsync(time, CancellationToken.None);
    }

    /// <summary>Lets the guest run, if it has the right to.</summary>
    public Task<T> RunAsync<T>(Func<Task<T>> run) => Right is null ? run() : Right.RunAsync(run);

    public async ValueTask DisposeAsync()
    {
        if (Qmp is not null) await Qmp.DisposeAsync();
        if (Process is not null) await Process.DisposeAsync();
        Lease?.Dispose();
        if (Fill is not null) await Fill.DisposeAsync();
        Tracker?.Dispose();
        Tap?.Dispose();
        Cable?.Dispose();
        Memory?.Dispose();
    }

    private async Task OpenAsync(PeerInstance instance, MachineStart start, PeerBase? from, TimeProvider time, ILogger logger)
    {
        var canArm = Tracking.IsSupported;
        var isLazy = canArm && start == MachineStart.Resume;
        if (start == MachineStart.Resume && !isLazy) Memory = GuestRam.Copy(instance, Folder, instance.PackageMemoryPath!);
        else (Memory, BaseName) = GuestRam.Create(instance, Folder, from, logger);
        Directory.CreateDirectory(Folder.Qemu);
        FileOwner.Give(Folder.Qemu, instance.QemuUserId);
        if (instance.TapName is not null) Tap = OpenTap(instance, start);
        if (instance.UserNetwork is { IsCardOnTap: true }) Cable = await PrivateCable.OpenAsync(CancellationToken.None);

        if (instance.HasLease)
            Lease = canArm ? LeaseSwitch.Create() : throw PeerException.Refused($"A guest with a lease needs a kernel that can track its writes: {Tracking.Reason}");
        using (var device = canArm ? UserfaultDevice.OpenInheritable() : null)
            Process = Launch(instance, Folder, start, Tap, Cable, device, Lease, logger);
        Tap?.StopInheriting();
        Lease?.StopInheriting();
        Cable?.Dispose();

        using var deadline = new CancellationTokenSource(StartDeadline, time);
        var connecting = Process.ConnectQmpAsync(Folder.InQemu(QmpSocket), time, deadline.Token);
        try
        {
            if (isLazy) await BeginFillAsync(instance, time, logger, deadline);
        }
        catch
        {
            await deadline.CancelAsync();
            await ((Task)connecting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (connecting.IsCompletedSuccessfully) Qmp = await connecting;
            throw;
        }

        Qmp = await connecting;

        // A destination must not announce itself before the commit, and QEMU would as soon as the state is loaded. With a downtime limit
        // of 0 a source writes out all that is not a device before it stops the guest.
        await Task.WhenAll(
            Qmp.MigrateSetCapabilitiesAsync(new MigrationCapabilities { IgnoreShared = true }, deadline.Token),
            Qmp.MigrateSetParametersAsync(
                new MigrationParameters { MaxBandwidth = UnlimitedBandwidth, DowntimeLimit = 0, AnnounceRounds = 0 }, deadline.Token));
        if (!canArm || isLazy) return;
        if (start == MachineStart.Incoming)
        {
            // From before its devices are loaded, which write to its RAM: what the guest has here and not where it came from counts as written.
            await TrackAsync(deadline.Token);
            Tracker!.ProtectAll();
        }
        else
        {
            Armed = await ArmedMapping.ReadAsync(Folder.InQemu(ArmingReport), deadline.Token);
        }
    }

    /// <summary>Whoever in QEMU touches the RAM waits for this, so nothing that does is asked of it before.</summary>
    private async Task BeginFillAsync(PeerInstance instance, TimeProvider time, ILogger logger, CancellationTokenSource deadline)
    {
        var tracking = TrackAsync(deadline.Token);
        try
        {
            // While QEMU is starting.
            Fill = PackageFill.Open(instance, logger);
        }
        catch
        {
            await deadline.CancelAsync();
            await tracking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        await tracking;
        Fill.Start(Memory, Tracker!, instance, time, logger);
        Bases = new MemoryBases(Tracker!, instance.PackageDigest is { } digest ? [new KnownBase(digest, new PageSet(Memory.Length))] : []);
    }

    private async Task TrackAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _ = Process.WaitForExitAsync(either.Token).ContinueWith(
            _ => either.Cancel(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
        try
        {
            Armed = await ArmedMapping.ReadAsync(Folder.InQemu(ArmingReport), either.Token);
            Tracker = DirtyTracker.Attach(Armed);
        }
        finally
        {
            await either.CancelAsync();
        }
    }

    private static Dictionary<string, string> Arming(PeerFolder folder, UserfaultDevice device, MachineStart start, LeaseSwitch? lease)
    {
        var variables = new Dictionary<string, string>(
            ArmingLibrary.Environment(folder.Memory, folder.InQemu(ArmingReport), device.Descriptor, lazy: start == MachineStart.Resume));
        if (lease is not null) variables[ArmingLibrary.LeaseVariable] = lease.InheritableDescriptor.ToString(CultureInfo.InvariantCulture);
        return variables;
    }

    /// <summary>A guest that still believes itself to be the packaged one must not be heard yet: its TAP is set up once it knows better.</summary>
    private static TapDevice OpenTap(PeerInstance instance, MachineStart start)
    {
        var tap = TapDevice.Open(instance.TapName!);
        try
        {
            if (instance.Bridge is not null) tap.AttachToBridge(instance.Bridge);
            if (start != MachineStart.Resume || instance.Identity is not { Fresh: true }) tap.SetUp(true);
            return tap;
        }
        catch
        {
            tap.Dispose();
            throw;
        }
    }

    private static QemuUserNetwork ToQemu(PeerUserNetwork network, PeerInstance instance, PrivateCable? cable) => new()
    {
        GuestAddress = network.GuestAddress,
        Gateway = network.Gateway,
        Forwards = [.. network.Forwards.Select(static forward => new QemuForward(forward.Protocol, forward.HostAddress, forward.HostPort, forward.GuestPort))],
        MacAddress = cable is null ? instance.Mac : null,
        CableDescriptor = cable?.NearDescriptor,
    };

    private static QemuProcess Launch(
        PeerInstance instance, PeerFolder folder, MachineStart start, TapDevice? tap, PrivateCable? cable, UserfaultDevice? device, LeaseSwitch? lease, ILogger logger)
    {
        var descriptors = new List<int>();
        if (device is not null) descriptors.Add(device.Descriptor);
        if (tap is not null) descriptors.Add(tap.InheritableDescriptor);
        if (lease is not null) descriptors.Add(lease.InheritableDescriptor);
        if (cable is not null) descriptors.AddRange([cable.CardDescriptor, cable.NearDescriptor]);
        var machine = new QemuMachine
        {
            Name = instance.Vm,
            Type = instance.MachineType == "microvm" ? QemuMachineType.Microvm : QemuMachineType.Q35,
            TypeVersion = instance.MachineVersion,
            Accelerator = instance.Accelerator == "kvm" ? QemuAccelerator.Kvm : QemuAccelerator.Tcg,
            CpuModel = instance.CpuModel,
            HiddenCpuFeatures = instance.HiddenCpuFeatures ?? [],
            VirtualCpus = instance.Vcpus,
            MemoryBytes = instance.MemoryBytes,
            MemoryPath = folder.Memory,
            KernelPath = instance.KernelPath,
            InitrdPath = instance.InitramfsPath,
            KernelCommandLine = instance.KernelCommandLine,
            QmpSocketPath = folder.InQemu(QmpSocket),
            ConsoleSocketPath = folder.InQemu(PeerApi.ConsoleSocket),
            ConsoleLogPath = instance.ConsoleLogPath,
            LivenessSocketPath = folder.InQemu(LivenessSocket),
            AgentSocketPath = folder.InQemu(AgentSocketName),
            Disk = instance.OverlayDiskPath is null ? null : new QemuDisk(instance.OverlayDiskPath, instance.BaseDiskPath!),
            Network = (tap?.InheritableDescriptor ?? cable?.CardDescriptor) is { } card ? new QemuNetworkInterface(card, instance.Mac!) : null,
            UserNetwork = instance.UserNetwork is { } user ? ToQemu(user, instance, cable) : null,
            Incoming = start != MachineStart.Boot,
            StartPaused = true,
        };
        return QemuProcess.Start(
            new QemuProcessOptions
            {
                Binary = instance.QemuBinary,
                Arguments = QemuCommandLine.Build(machine),
                StandardErrorPath = folder.QemuErrors,
                Environment = device is null ? new Dictionary<string, string>() : Arming(folder, device, start, lease),
                InheritedDescriptors = descriptors,
                UserId = instance.QemuUserId,
                SupplementaryGroups = instance.QemuGroups ?? [],
            },
            logger);
    }
}
