using System.Text.RegularExpressions;

namespace Architekt.Fabric.Qemu;

/// <summary>Builds QEMU's arguments (qemu-system-x86_64(1)) for a <see cref="QemuMachine"/>.</summary>
public static partial class QemuCommandLine
{
    /// <summary>
    /// Leaves out the description of the device state that QEMU appends for debugging: four times as long as the state itself, and
    /// composed, sent and read while the guest stands still.
    /// </summary>
    private const string NoStateDescription = "suppress-vmdesc=on";

    /// <summary>
    /// What q35 has and no guest of ours uses. Each of them is written out, read in and mapped again while the guest stands still: 4 ms of a pause
    /// under emulation. Linux has better clocks than the HPET, and boots without system management mode.
    /// </summary>
    private const string NoSpareDevices = ",sata=off,smbus=off,vmport=off,smm=off,hpet=off";

    /// <summary>
    /// Virtio devices show the interface of 0.9.5 alone. With that of 1.0 the state of each lists all 1024 queues it could have (vmstate_virtio_virtqueues,
    /// hw/virtio/virtio.c), which takes longer to write and read than all the rest: 7 ms of a pause under emulation. Linux drives both
    /// (CONFIG_VIRTIO_PCI_LEGACY, on in every distribution's kernel).
    /// </summary>
    private const string Virtio = "disable-modern=on,disable-legacy=off,migrate-extra=off";

    /// <summary>For devices whose guests can wait: no event descriptors, which are taken down and set up again around each pause.</summary>
    private const string SlowVirtio = Virtio + ",ioeventfd=off";

    /// <summary>Node name of the writable disk, for mirrors and exports.</summary>
    public const string DiskNodeName = "disk";

    /// <summary>Name of the virtio-serial port the guest says it is up on.</summary>
    public const string LivenessPortName = "org.architekt.liveness";

    /// <summary>Name of the virtio-serial port of the guest agent.</summary>
    public const string AgentPortName = "org.architekt.agent";

    private const long Mebibyte = 1024 * 1024;

    // Fixed PCI slots: a device keeps its place whatever else is there, so that both sides of a migration agree. 0 and 0x1f are the machine's own.
    private const string SerialSlot = "0x3", DiskSlot = "0x4", NetworkSlot = "0x5", RandomSlot = "0x6";

    /// <summary>The arguments, without the program's name.</summary>
    /// <exception cref="ArgumentException">The machine cannot be: the message says what to change.</exception>
    public static IReadOnlyList<string> Build(QemuMachine machine)
    {
        ArgumentNullException.ThrowIfNull(machine);
        Validate(machine);
        var kvm = machine.Accelerator == QemuAccelerator.Kvm;
        List<string> arguments =
        [
            "-name", $"guest={Escape(machine.Name)}",
            "-nodefaults", "-no-user-config", "-display", "none",
            "-machine", MachineOption(machine),
            "-accel", kvm ? "kvm" : "tcg",
            "-cpu", (machine.CpuModel ?? (kvm ? "host" : "max")) + string.Concat(machine.HiddenCpuFeatures.Select(static feature => $",{feature}=off")),
            "-smp", $"cpus={machine.VirtualCpus}",
            "-m", $"size={machine.MemoryBytes / Mebibyte}M",
            "-object", $"memory-backend-file,id=ram0,size={machine.MemoryBytes},mem-path={Escape(machine.MemoryPath)},share=on",
            "-chardev", $"socket,id=qmp,path={Escape(machine.QmpSocketPath)},server=on,wait=off",
            "-mon", "chardev=qmp,mode=control",
        ];
        AddKernel(arguments, machine);
        AddConsole(arguments, machine);
        AddPorts(arguments, machine);
        if (machine.Disk is { } disk) AddDisk(arguments, disk);
        if (machine.Network is { } network) AddNetwork(arguments, network);
        if (machine.UserNetwork is { } userNetwork) AddUserNetwork(arguments, userNetwork);
        arguments.AddRange(["-object", "rng-builtin,id=rng0", "-device", $"virtio-rng-pci,{SlowVirtio},id=random0,rng=rng0,bus=pcie.0,addr={RandomSlot}"]);
        if (machine.Incoming) arguments.AddRange(["-incoming", "defer"]);
        if (machine.StartPaused) arguments.Add("-S");
        if (machine.Sandbox) arguments.AddRange(["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"]);
        arguments.AddRange(machine.AdditionalArguments);
        return arguments;
    }

    /// <summary>In QEMU's option lists a comma ends a value, two stand for one (qemu-system-x86_64(1)).</summary>
    private static string Escape(string value) => value.Replace(",", ",,", StringComparison.Ordinal);

    private static string MachineOption(QemuMachine machine) => MachineType(machine) + ",memory-backend=ram0," + NoStateDescription;

    private static string MachineType(QemuMachine machine) => machine.Type switch
    {
        QemuMachineType.Microvm => "microvm,acpi=on,pcie=on,pit=on,pic=on,rtc=on",
        _ => (machine.TypeVersion is { } version ? $"pc-q35-{version}" : "q35") + NoSpareDevices,
    };

    private static void AddKernel(List<string> arguments, QemuMachine machine)
    {
        if (machine.KernelPath is null) return;
        arguments.AddRange(["-kernel", machine.KernelPath]);
        if (machine.InitrdPath is { } initrd) arguments.AddRange(["-initrd", initrd]);
        var append = machine.KernelCommandLine ?? "";
        // Under KVM Linux takes the frequency from kvmclock, exact and without calibration.
        if (machine is { Type: QemuMachineType.Microvm, Accelerator: QemuAccelerator.Tcg }
            && !append.Contains("tsc_early_khz=", StringComparison.Ordinal)
            && (machine.TscKiloHertz ?? HostTsc.ReadKiloHertz()) is { } tsc)
            append = $"{append} tsc_early_khz={tsc}".TrimStart();
        if (append.Length > 0) arguments.AddRange(["-append", append]);
    }

    private static void AddConsole(List<string> arguments, QemuMachine machine)
    {
        if (machine.ConsoleSocketPath is null) return;
        var log = machine.ConsoleLogPath is { } path ? $",logfile={Escape(path)},logappend=on" : "";
        arguments.AddRange(
        [
            "-chardev", $"socket,id=console,path={Escape(machine.ConsoleSocketPath)},server=on,wait=off{log}",
            "-serial", "chardev:console",
        ]);
    }

    private static void AddPorts(List<string> arguments, QemuMachine machine)
    {
        if (machine.LivenessSocketPath is null && machine.AgentSocketPath is null) return;
        arguments.AddRange(["-device", $"virtio-serial-pci,{SlowVirtio},id=serial0,max_ports=4,bus=pcie.0,addr={SerialSlot}"]);
        // Port 0 is reserved for a console, so that guests with old drivers find it there.
        AddPort(arguments, "liveness", 1, LivenessPortName, machine.LivenessSocketPath);
        AddPort(arguments, "agent", 2, AgentPortName, machine.AgentSocketPath);
    }

    private static void AddPort(List<string> arguments, string id, int number, string name, string? socketPath)
    {
        if (socketPath is null) return;
        arguments.AddRange(
        [
            "-chardev", $"socket,id={id},path={Escape(socketPath)},server=on,wait=off",
            "-device", $"virtserialport,id={id}0,bus=serial0.0,nr={number},chardev={id},name={name}",
        ]);
    }

    /// <summary>The page cache and threads throughout: DMA into pinned guest pages would bypass the page tables, and so the dirty tracking.</summary>
    private static void AddDisk(List<string> arguments, QemuDisk disk) => arguments.AddRange(
    [
        "-blockdev",
        $"driver=qcow2,node-name={DiskNodeName},cache.direct=off,discard=unmap"
            + $",file.driver=file,file.filename={Escape(disk.OverlayPath)},file.cache.direct=off,file.aio=threads,file.discard=unmap"
            + ",backing.driver=raw,backing.node-name=base,backing.read-only=on,backing.cache.direct=off"
            + $",backing.file.driver=file,backing.file.filename={Escape(disk.BackingPath)}"
            + ",backing.file.read-only=on,backing.file.cache.direct=off,backing.file.aio=threads",
        "-device", $"virtio-blk-pci,{Virtio},id=disk0,drive={DiskNodeName},bus=pcie.0,addr={DiskSlot}",
    ]);

    /// <summary>vhost would write guest RAM from the kernel, past the dirty tracking.</summary>
    private static void AddNetwork(List<string> arguments, QemuNetworkInterface network)
    {
        arguments.AddRange(["-netdev", $"tap,id=net0,fd={network.TapDescriptor},vhost=off"]);
        AddCard(arguments, network.MacAddress);
    }

    private static void AddUserNetwork(List<string> arguments, QemuUserNetwork network)
    {
        if (network.MacAddress is { } mac)
        {
            arguments.AddRange(["-netdev", network.ToOption("net0")]);
            AddCard(arguments, mac);
            return;
        }

        arguments.AddRange(
        [
            "-netdev", network.ToOption("user0"),
            "-netdev", $"tap,id=cable0,fd={network.CableDescriptor},vhost=off",
            "-netdev", "hubport,id=port0,hubid=0,netdev=user0",
            "-netdev", "hubport,id=port1,hubid=0,netdev=cable0",
        ]);
    }

    /// <summary>No boot ROM: it costs time and would have to match on both sides.</summary>
    private static void AddCard(List<string> arguments, string mac) => arguments.AddRange(
    [
        // A card that announces itself frees its timer when it is loaded with `announce-rounds` 0 and looks at it again at the next reset
        // (virtio_net_post_load, virtio_net_reset): QEMU would crash when a guest that has moved shuts down or boots anew. Who runs the
        // destination announces the guest.
        "-device", $"virtio-net-pci,{Virtio},id=nic0,netdev=net0,mac={mac},guest_announce=off,romfile=,bus=pcie.0,addr={NetworkSlot}",
    ]);

    private static void Validate(QemuMachine machine)
    {
        Require(machine.MemoryBytes > 0 && machine.MemoryBytes % Mebibyte == 0,
            $"the memory size is {machine.MemoryBytes} bytes; it must be a positive multiple of 1 MiB");
        Require(machine.VirtualCpus is >= 1 and <= 255, $"{machine.VirtualCpus} vCPUs asked for; 1 to 255 are possible");
        Require(machine.KernelPath is not null || (machine.InitrdPath is null && machine.KernelCommandLine is null),
            "an initramfs or a kernel command line needs a kernel");
        Require(machine.ConsoleLogPath is null || machine.ConsoleSocketPath is not null, "a console log needs a console socket");
        Require(machine.TypeVersion is null || (machine.Type == QemuMachineType.Q35 && VersionPattern().IsMatch(machine.TypeVersion)),
            $"the machine type version '{machine.TypeVersion}' is not of the form 7.2, or the machine type is not q35, the only one with versions");
        foreach (var feature in machine.HiddenCpuFeatures)
            Require(FeaturePattern().IsMatch(feature), $"'{feature}' is not the name of a CPU feature like avx512f");
        Require(machine.Network is null || machine.Network.TapDescriptor > 2,
            "the TAP's descriptor must be above 2, because 0 to 2 are QEMU's standard streams");
        Require(machine.Network is null || MacPattern().IsMatch(machine.Network.MacAddress),
            $"'{machine.Network?.MacAddress}' is not a MAC address like 52:54:00:12:34:56");
        if (machine.UserNetwork is { } user)
        {
            Require(user.Problem() is null, user.Problem() ?? "");
            Require(
                machine.Network is null ? user is { MacAddress: not null, CableDescriptor: null } : user is { MacAddress: null, CableDescriptor: > 2 },
                "a user-mode network needs the guest's card on it, or a cable to the TAP the card is on");
            Require(user.MacAddress is null || MacPattern().IsMatch(user.MacAddress), $"'{user.MacAddress}' is not a MAC address like 52:54:00:12:34:56");
        }

        foreach (var path in (string?[])[machine.QmpSocketPath, machine.ConsoleSocketPath, machine.LivenessSocketPath, machine.AgentSocketPath])
        {
            if (path is not null) UnixSocketPath.Validate(path);
        }

        void Require(bool condition, string why)
        {
            if (!condition) throw new ArgumentException($"The machine '{machine.Name}' cannot be started: {why}", nameof(machine));
        }
    }

    [GeneratedRegex(@"^[0-9]+\.[0-9]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex VersionPattern();

    [GeneratedRegex(@"^[a-z0-9][a-z0-9._-]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex FeaturePattern();

    [GeneratedRegex(@"^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}\z", RegexOptions.CultureInvariant)]
    private static partial Regex MacPattern();
}
