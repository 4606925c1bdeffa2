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

    /// <summary>QEMU's own default of 128 MiB/s would throttle the device state.</summary>
    private const long UnlimitedBandwidth = 1L << 40;

    private VmMachine(PeerFolder folder, GuestMemory memory, TapDevice? tap, QemuProcess process, QmpClient qmp, DirtyTrackingSupport tracking, ArmedMapping? armed)
    {
        Folder = folder;
        Memory = memory;
        Tap = tap;
        Process = process;
        Qmp = qmp;
        Tracking = tracking;
        Armed = armed;
    }

    public PeerFolder Folder { get; }

    public GuestMemory Memory { get; }

    public TapDevice? Tap { get; }

    public QemuProcess Process { get; }

    public QmpClient Qmp { get; }

    /// <summary>Whether the kernel could track the guest's writes when QEMU was started.</summary>
    public DirtyTrackingSupport Tracking { get; }

    /// <summary>Where QEMU has its RAM under write protection; null on a kernel that cannot.</summary>
    public ArmedMapping? Armed { get; }

    /// <summary>Whether this guest's devices must not be loaded before the hand-over: it was seen that writing them out changes its RAM.</summary>
    public bool HoldsBackState { get; set; }

    public string AgentSocket => Folder.InQemu(AgentSocketName);

    public string LivenessSocketPath => Folder.InQemu(LivenessSocket);

    public static async Task<VmMachine> StartAsync(
        PeerInstance instance, PeerFolder folder, DirtyTrackingSupport tracking, bool incoming, TimeProvider time, ILogger logger)
    {
        GuestMemory? memory = null;
        TapDevice? tap = null;
        QemuProcess? process = null;
        try
        {
            var canArm = tracking.IsSupported;
            memory = GuestMemory.Create(folder.Memory, instance.MemoryBytes, instance.QemuUserId, instance.QemuUserId);
            Directory.CreateDirectory(folder.Qemu);
            FileOwner.Give(folder.Qemu, instance.QemuUserId);
            if (instance.TapName is not null)
            {
                tap = TapDevice.Open(instance.TapName);
                tap.AttachToBridge(instance.Bridge!);
                tap.SetUp(true);
            }

            using (var device = canArm ? UserfaultDevice.OpenInheritable() : null)
                process = Launch(instance, folder, incoming, tap, device, logger);
            tap?.StopInheriting();

            using var deadline = new CancellationTokenSource(StartDeadline, time);
            var qmp = await process.ConnectQmpAsync(folder.InQemu(QmpSocket), time, deadline.Token);
            await qmp.MigrateSetCapabilitiesAsync(
                new MigrationCapabilities { IgnoreShared = true }, deadline.Token);

            // A destination must not announce itself before the commit, and QEMU would as soon as the state is loaded. With a downtime limit
            // of 0 a source writes out all that is not a device before it stops the guest.
            await qmp.MigrateSetParametersAsync(
                new MigrationParameters { MaxBandwidth = UnlimitedBandwidth, DowntimeLimit = 0, AnnounceRounds = 0 }, deadline.Token);
            var armed = canArm ? await ArmedMapping.ReadAsync(folder.InQemu(ArmingReport), deadline.Token) : null;
            return new VmMachine(folder, memory, tap, process, qmp, tracking, armed);
        }
        catch (Exception error)
        {
            var ended = process is { HasExited: true } ? process.CreateStartException().Message : null;
            if (ended is null && error is OperationCanceledException) ended = $"QEMU did not answer within {StartDeadline.TotalSeconds} s";
            if (process is not null) await process.DisposeAsync();
            tap?.Dispose();
            memory?.Dispose();

            // Or the host's memory would stay taken for as long as the folder is there.
            if (memory is not null) File.Delete(folder.Memory);
            throw PeerException.Failed($"'{instance.Vm}' could not be started on '{instance.Host}': {ended ?? error.Message}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Qmp.DisposeAsync();
        await Process.DisposeAsync();
        Tap?.Dispose();
        Memory.Dispose();
    }

    private static QemuProcess Launch(
        PeerInstance instance, PeerFolder folder, bool incoming, TapDevice? tap, UserfaultDevice? device, ILogger logger)
    {
        var descriptors = new List<int>();
        if (device is not null) descriptors.Add(device.Descriptor);
        if (tap is not null) descriptors.Add(tap.InheritableDescriptor);
        var machine = new QemuMachine
        {
            Name = instance.Vm,
            Type = instance.MachineType == "microvm" ? QemuMachineType.Microvm : QemuMachineType.Q35,
            Accelerator = instance.Accelerator == "kvm" ? QemuAccelerator.Kvm : QemuAccelerator.Tcg,
            CpuModel = instance.CpuModel,
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
            Network = tap is null ? null : new QemuNetworkInterface(tap.InheritableDescriptor, instance.Mac!),
            Incoming = incoming,
            StartPaused = true,
        };
        return QemuProcess.Start(
            new QemuProcessOptions
            {
                Binary = instance.QemuBinary,
                Arguments = QemuCommandLine.Build(machine),
                StandardErrorPath = folder.QemuErrors,
                Environment = device is null
                    ? new Dictionary<string, string>()
                    : ArmingLibrary.Environment(folder.Memory, folder.InQemu(ArmingReport), device.Descriptor),
                InheritedDescriptors = descriptors,
                UserId = instance.QemuUserId,
                SupplementaryGroups = instance.QemuGroups ?? [],
            },
            logger);
    }
}
