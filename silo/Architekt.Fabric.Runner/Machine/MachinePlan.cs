using Architekt.Fabric.Packages;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Qemu;
using Architekt.Fabric.Runner.State;
using ProcessIdentity = Architekt.Fabric.Processes.ProcessIdentity;

namespace Architekt.Fabric.Runner.Machine;

/// <summary>What is about to run, and from what.</summary>
/// <param name="Start">How it begins.</param>
/// <param name="Record">The machine.</param>
/// <param name="State">What it goes on from; null for the package itself.</param>
/// <param name="HiddenCpuFeatures">CPU features this machine has and the guest has not seen.</param>
internal sealed record MachinePlan(RunStart Start, MachineRecord Record, MachineState? State, IReadOnlyList<string> HiddenCpuFeatures)
{
    public const long Epoch = 1;

    /// <summary>QEMU's own default: a user-mode network is of one guest only, so that two may have the same.</summary>
    private const string DefaultMac = "52:54:00:12:34:56";

    public bool HasMemory => Start is RunStart.Resumed or RunStart.Continued;

    public static async Task<MachinePlan> MakeAsync(
        RunnerOptions options, HostFacts host, RunnerRoot root, PackageManifest manifest, string digest, MachineState? state, TimeProvider time,
        CancellationToken cancellationToken)
    {
        var start = state is { Record.HasMemory: true } ? RunStart.Continued
            : state is not null ? RunStart.BootedAgain
            : manifest.Machine is not null ? RunStart.Resumed : RunStart.Booted;
        if (start == RunStart.Continued)
        {
            const string What = "The suspended state";
            RequireSameMachine(options, host, state!.Record.Accelerator, state.Record.QemuVersion, What);
            return new MachinePlan(start, state.Record, state, await HideAsync(state.Record, What));
        }

        if (start == RunStart.Resumed)
        {
            var what = $"The package '{manifest.Name}'";
            RequireSameMachine(options, host, manifest.Machine!.Accelerator, manifest.QemuVersion!, what);
            var resumed = Describe(manifest, digest, host, manifest.Machine.Accelerator, manifest.Machine.CpuModel, manifest.Machine.Mac, manifest.KernelCommandLine);
            resumed = resumed with { IsCardOnTap = resumed.Mac is not null, CpuFeatures = manifest.CpuFeatures };
            return new MachinePlan(start, resumed, state, await HideAsync(resumed, what));
        }

        var accelerator = await host.ChooseAcceleratorAsync(options, root, time, cancellationToken);
        var before = state?.Record;
        var commandLine = before?.KernelCommandLine ?? manifest.KernelCommandLine;
        var hasCard = before is null ? manifest.Machine is null || manifest.Machine.Mac is not null : before.Mac is not null;
        if (hasCard && GuestNetworkArguments.Read(commandLine).Address is null) commandLine = GuestNetworkArguments.AddDefault(commandLine);
        var booted = Describe(
            manifest, digest, host, accelerator, accelerator == "kvm" ? "host" : "max", hasCard ? before?.Mac ?? DefaultMac : null, commandLine);
        return new MachinePlan(
            start, booted with { CpuFeatures = await host.FindCpuFeaturesAsync(options, root, accelerator, time, cancellationToken) }, state, HiddenCpuFeatures: []);

        async Task<IReadOnlyList<string>> HideAsync(MachineRecord record, string what)
        {
            if (record.CpuFeatures is not { Count: > 0 } seen) return [];
            var found = await host.FindCpuFeaturesAsync(options, root, record.Accelerator, time, cancellationToken);
            return CpuFeatures.Describe(CpuFeatures.Missing(seen, found)) is { } missing
                ? throw new RunnerException(RunnerErrorCode.Unsupported, $"{what} needs {missing}, which this machine does not have: run it where the CPU has at least the same.")
                : CpuFeatures.Unseen(seen, found);
        }
    }

    public PeerInstance ToInstance(string name, RunnerOptions options, HostFacts host, MachineFolder folder, StoredPackage package)
    {
        var self = ProcessIdentity.Current;
        var fresh = Start == RunStart.Resumed;
        var hasRecordedAddress = GuestNetworkArguments.Read(Record.KernelCommandLine).Address is not null;
        return new PeerInstance
        {
            Vm = name,
            Epoch = Epoch,
            Host = Environment.MachineName,
            DataAddress = "127.0.0.1",
            QemuBinary = options.QemuBinary,
            QemuUserId = host.QemuUserId,
            QemuGroups = host.QemuGroups,
            MachineType = Record.MachineType,
            Accelerator = Record.Accelerator,
            CpuModel = Record.CpuModel,
            HiddenCpuFeatures = HiddenCpuFeatures,
            Vcpus = Record.Vcpus,
            MemoryBytes = Record.MemoryBytes,
            KernelPath = package.PathOf(PackageEntryNames.Kernel),
            InitramfsPath = package.PathOf(PackageEntryNames.Initramfs),
            KernelCommandLine = Record.KernelCommandLine,
            BaseDiskPath = DiskOf(package),
            OverlayDiskPath = folder.Overlay,
            ConsoleLogPath = folder.ConsoleLog,
            Mac = Record.Mac,
            UserNetwork = Record.Mac is null
                ? null
                : new PeerUserNetwork(
                    Record.Address!, Record.Gateway,
                    [.. options.Forwards.Select(static forward => new PeerForward(forward.Protocol, forward.HostAddress, forward.HostPort, forward.GuestPort))],
                    Record.IsCardOnTap),
            Keeper = new PeerKeeper(self.Pid, self.StartTicks),
            HasAgent = Record.HasAgent,
            PackageMemoryPath = !HasMemory ? null : State?.Memory ?? package.PathOf(PackageEntryNames.Memory),
            PackageStatePath = !HasMemory ? null : State?.Devices ?? package.PathOf(PackageEntryNames.State),
            Fill = options.Fill,

            // Whoever resumes a package is not alone in doing so. Whoever goes on is.
            Identity = !fresh ? null : new GuestIdentity(
                Hostname: null,
                Address: Record.Mac is null || hasRecordedAddress ? null : Record.Address,
                Gateway: Record.Mac is null || hasRecordedAddress ? null : Record.Gateway,
                Fresh: true),
        };
    }

    public string DiskOf(StoredPackage package) => State?.Disk ?? package.PathOf(PackageEntryNames.Disk);

    private static MachineRecord Describe(
        PackageManifest manifest, string digest, HostFacts host, string accelerator, string cpuModel, string? mac, string commandLine)
    {
        var (address, gateway) = GuestNetworkArguments.Read(commandLine);
        if (address is null) (address, gateway) = (QemuUserNetwork.DefaultAddress, QemuUserNetwork.DefaultGateway);
        return new MachineRecord
        {
            Package = digest,
            HasMemory = false,
            MachineType = manifest.MachineType.ToString().ToLowerInvariant(),
            Accelerator = accelerator,
            CpuModel = cpuModel,
            QemuVersion = host.Qemu.ToString(),
            Vcpus = manifest.Vcpus,
            MemoryBytes = manifest.MemoryBytes,
            KernelCommandLine = commandLine,
            Mac = mac,
            Address = mac is null ? null : address,
            Gateway = mac is null ? null : gateway,
            HasAgent = manifest.AgentPorts is { Agent: not null, Liveness: not null },
            SavedAt = default,
        };
    }

    /// <summary>A device state can only be loaded into the machine that saved it.</summary>
    private static void RequireSameMachine(RunnerOptions options, HostFacts host, string accelerator, string qemuVersion, string what)
    {
        if (options.Accelerator is { } chosen && chosen != accelerator)
            throw new RunnerException(RunnerErrorCode.Unsupported, $"{what} was made under {accelerator} and cannot go on under {chosen}.");
        if (accelerator == "kvm" && !File.Exists("/dev/kvm"))
            throw new RunnerException(RunnerErrorCode.Unsupported, $"{what} was made under kvm, and this machine has no /dev/kvm.");
        if (Version.TryParse(qemuVersion, out var version) && version > host.Qemu)
            throw new RunnerException(RunnerErrorCode.Unsupported, $"{what} was made by QEMU {version}, and this machine has the older {host.Qemu}: upgrade it.");
    }
}
