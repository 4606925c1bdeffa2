namespace Architekt.Fabric.Qemu.Tests.Machine;

public sealed class QemuCommandLineTests
{
    private static QemuMachine Plain => new()
    {
        Name = "redis",
        MemoryBytes = 256L << 20,
        MemoryPath = "/dev/shm/redis.ram",
        QmpSocketPath = "/run/redis/qmp",
    };

    private static QemuMachine Full => Plain with
    {
        VirtualCpus = 2,
        KernelPath = "/pkg/kernel",
        InitrdPath = "/pkg/initrd",
        KernelCommandLine = "console=ttyS0 quiet",
        TscKiloHertz = 2096013,
        ConsoleSocketPath = "/run/redis/console",
        ConsoleLogPath = "/run/redis/console.log",
        LivenessSocketPath = "/run/redis/liveness",
        AgentSocketPath = "/run/redis/agent",
        Disk = new("/vm/disk.qcow2", "/pkg/disk.raw"),
        Network = new(17, "52:54:00:12:34:56"),
        Incoming = true,
        StartPaused = true,
    };

    [Fact]
    public void Build_FullMachine_HasEveryPieceInItsPlace()
    {
        Assert.Equal(
            [
                "-name", "guest=redis",
                "-nodefaults", "-no-user-config", "-display", "none",
                "-machine", "q35,sata=off,smbus=off,vmport=off,smm=off,hpet=off,memory-backend=ram0,suppress-vmdesc=on",
                "-accel", "tcg",
                "-cpu", "max",
                "-smp", "cpus=2",
                "-m", "size=256M",
                "-object", "memory-backend-file,id=ram0,size=268435456,mem-path=/dev/shm/redis.ram,share=on",
                "-chardev", "socket,id=qmp,path=/run/redis/qmp,server=on,wait=off",
                "-mon", "chardev=qmp,mode=control",
                "-kernel", "/pkg/kernel",
                "-initrd", "/pkg/initrd",
                "-append", "console=ttyS0 quiet",
                "-chardev", "socket,id=console,path=/run/redis/console,server=on,wait=off,logfile=/run/redis/console.log,logappend=on",
                "-serial", "chardev:console",
                "-device", "virtio-serial-pci,disable-modern=on,disable-legacy=off,migrate-extra=off,ioeventfd=off,id=serial0,max_ports=4,bus=pcie.0,addr=0x3",
                "-chardev", "socket,id=liveness,path=/run/redis/liveness,server=on,wait=off",
                "-device", "virtserialport,id=liveness0,bus=serial0.0,nr=1,chardev=liveness,name=org.architekt.liveness",
                "-chardev", "socket,id=agent,path=/run/redis/agent,server=on,wait=off",
                "-device", "virtserialport,id=agent0,bus=serial0.0,nr=2,chardev=agent,name=org.architekt.agent",
                "-blockdev",
                "driver=qcow2,node-name=disk,cache.direct=off,discard=unmap,file.driver=file,file.filename=/vm/disk.qcow2,file.cache.direct=off,"
                    + "file.aio=threads,file.discard=unmap,backing.driver=raw,backing.node-name=base,backing.read-only=on,backing.cache.direct=off,"
                    + "backing.file.driver=file,backing.file.filename=/pkg/disk.raw,backing.file.read-only=on,backing.file.cache.direct=off,"
                    + "backing.file.aio=threads",
                "-device", "virtio-blk-pci,disable-modern=on,disable-legacy=off,migrate-extra=off,id=disk0,drive=disk,bus=pcie.0,addr=0x4",
                "-netdev", "tap,id=net0,fd=17,vhost=off",
                "-device", "virtio-net-pci,disable-modern=on,disable-legacy=off,migrate-extra=off,id=nic0,netdev=net0,mac=52:54:00:12:34:56,guest_announce=off,romfile=,bus=pcie.0,addr=0x5",
                "-object", "rng-builtin,id=rng0",
                "-device", "virtio-rng-pci,disable-modern=on,disable-legacy=off,migrate-extra=off,ioeventfd=off,id=random0,rng=rng0,bus=pcie.0,addr=0x6",
                "-incoming", "defer",
                "-S",
                "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
            ],
            QemuCommandLine.Build(Full));
    }

    [Fact]
    public void Build_MicrovmUnderTcg_TellsTheGuestTheTimeStampCounter()
    {
        var arguments = QemuCommandLine.Build(Full with { Type = QemuMachineType.Microvm });
        Assert.Contains("microvm,acpi=on,pcie=on,pit=on,pic=on,rtc=on,memory-backend=ram0,suppress-vmdesc=on", arguments);
        Assert.Contains("console=ttyS0 quiet tsc_early_khz=2096013", arguments);
    }

    [Fact]
    public void Build_MicrovmWithItsOwnFrequency_KeepsIt()
    {
        var machine = Full with { Type = QemuMachineType.Microvm, KernelCommandLine = "tsc_early_khz=1" };
        Assert.Contains("tsc_early_khz=1", QemuCommandLine.Build(machine));
    }

    [Fact]
    public void Build_Kvm_UsesTheHostsProcessorAndLeavesTheFrequencyToKvmclock()
    {
        var arguments = QemuCommandLine.Build(Full with { Type = QemuMachineType.Microvm, Accelerator = QemuAccelerator.Kvm });
        Assert.Equal("kvm", After(arguments, "-accel"));
        Assert.Equal("host", After(arguments, "-cpu"));
        Assert.Equal("console=ttyS0 quiet", After(arguments, "-append"));
    }

    [Fact]
    public void Build_NothingOptional_LeavesItOut()
    {
        var arguments = QemuCommandLine.Build(Plain with { Sandbox = false, AdditionalArguments = ["-no-reboot"] });
        Assert.DoesNotContain(arguments, argument => argument is "-kernel" or "-append" or "-serial" or "-blockdev" or "-netdev" or "-incoming" or "-S" or "-sandbox");
        Assert.DoesNotContain(arguments, argument => argument.StartsWith("virtio-serial-pci", StringComparison.Ordinal));
        Assert.Equal("-no-reboot", arguments[^1]);
    }

    [Fact]
    public void Build_VersionedMachineAndModel_AreNamed()
    {
        var arguments = QemuCommandLine.Build(Plain with { TypeVersion = "7.2", CpuModel = "EPYC", HiddenCpuFeatures = ["avx2", "sse4.1"] });
        Assert.Equal("pc-q35-7.2,sata=off,smbus=off,vmport=off,smm=off,hpet=off,memory-backend=ram0,suppress-vmdesc=on", After(arguments, "-machine"));
        Assert.Equal("EPYC,avx2=off,sse4.1=off", After(arguments, "-cpu"));
    }

    [Fact]
    public void Build_CommasInPaths_AreDoubledSoThatTheyAreNotOptions()
    {
        var arguments = QemuCommandLine.Build(Full with
        {
            MemoryPath = "/a,share=off",
            Disk = new("/b,c", "/d,e"),
            ConsoleLogPath = "/f,g",
            KernelPath = "/h,i",
        });
        Assert.Contains(arguments, argument => argument.Contains("mem-path=/a,,share=off,share=on", StringComparison.Ordinal));
        Assert.Contains(arguments, argument => argument.Contains("file.filename=/b,,c,", StringComparison.Ordinal));
        Assert.Contains(arguments, argument => argument.Contains("backing.file.filename=/d,,e,", StringComparison.Ordinal));
        Assert.Contains(arguments, argument => argument.Contains("logfile=/f,,g,", StringComparison.Ordinal));
        Assert.Equal("/h,i", After(arguments, "-kernel"));
    }

    [Fact]
    public void Build_SourceAndDestination_GiveTheGuestTheSame()
    {
        var source = QemuCommandLine.Build(Full with { Incoming = false, StartPaused = false, Network = new(9, "52:54:00:12:34:56") });
        var destination = QemuCommandLine.Build(Full with { MemoryPath = "/other", QmpSocketPath = "/other/qmp" });
        static IEnumerable<string> Devices(IReadOnlyList<string> arguments) => arguments.Where((_, i) => i > 0 && arguments[i - 1] is "-device" or "-machine" or "-cpu" or "-smp" or "-m");
        Assert.Equal(Devices(source), Devices(destination));
    }

    [Fact]
    public void Build_CardOnTheUserNetwork_KeepsItsPlaceAndItsAddress()
    {
        var user = new QemuUserNetwork
        {
            GuestAddress = "10.77.0.50/24",
            Gateway = "10.77.0.1",
            MacAddress = "52:54:00:12:34:56",
            Forwards = [new("tcp", "127.0.0.1", 16379, 6379), new("udp", "0.0.0.0", 53, 5353)],
        };
        var onUser = QemuCommandLine.Build(Full with { Network = null, UserNetwork = user });
        Assert.Equal(
            "user,id=net0,ipv6=off,net=10.77.0.0/24,host=10.77.0.1,dns=10.77.0.2,dhcpstart=10.77.0.50"
                + ",hostfwd=tcp:127.0.0.1:16379-10.77.0.50:6379,hostfwd=udp:0.0.0.0:53-10.77.0.50:5353",
            After(onUser, "-netdev"));
        Assert.Equal(Card(QemuCommandLine.Build(Full)), Card(onUser));

        static string Card(IReadOnlyList<string> arguments) => arguments.Single(argument => argument.StartsWith("virtio-net-pci", StringComparison.Ordinal));
    }

    [Fact]
    public void Build_CardOnATapWithACable_IsOnTheSameHubAsTheUserNetwork()
    {
        var arguments = QemuCommandLine.Build(Full with { UserNetwork = new() { GuestAddress = QemuUserNetwork.DefaultAddress, CableDescriptor = 18 } });
        Assert.Equal(
            [
                "tap,id=net0,fd=17,vhost=off",
                "user,id=user0,ipv6=off,net=10.0.2.0/24,host=10.0.2.1,dns=10.0.2.2,dhcpstart=10.0.2.15",
                "tap,id=cable0,fd=18,vhost=off",
                "hubport,id=port0,hubid=0,netdev=user0",
                "hubport,id=port1,hubid=0,netdev=cable0",
            ],
            arguments.Where((_, i) => i > 0 && arguments[i - 1] == "-netdev"));
    }

    [Theory]
    [InlineData("10.0.0.1/29", null, "host=10.0.0.2,dns=10.0.0.3")]
    [InlineData("10.0.0.2/29", null, "host=10.0.0.1,dns=10.0.0.3")]
    [InlineData("10.0.0.2/29", "10.0.0.1", "host=10.0.0.1,dns=10.0.0.3")]
    [InlineData("10.0.0.1/29", "10.0.0.6", "host=10.0.0.6,dns=10.0.0.2")]
    [InlineData("192.168.255.254/16", "192.168.0.2", "net=192.168.0.0/16,host=192.168.0.2,dns=192.168.0.1")]
    public void Build_AnyGuestAddress_HostAndNameServerHaveOthers(string guest, string? gateway, string expected)
    {
        var network = new QemuUserNetwork { GuestAddress = guest, Gateway = gateway, MacAddress = "52:54:00:12:34:56" };
        Assert.Contains(expected, After(QemuCommandLine.Build(Full with { Network = null, UserNetwork = network }), "-netdev"), StringComparison.Ordinal);
    }

    private static QemuMachine OnUserNetwork(string guest = "10.0.2.15/24", string? gateway = null, params QemuForward[] forwards) =>
        Plain with { UserNetwork = new() { GuestAddress = guest, Gateway = gateway, Forwards = forwards, MacAddress = "52:54:00:12:34:56" } };

    public static TheoryData<string, QemuMachine> Impossible => new()
    {
        { "multiple of 1 MiB", Plain with { MemoryBytes = (1 << 20) + 4096 } },
        { "multiple of 1 MiB", Plain with { MemoryBytes = 0 } },
        { "0 vCPUs", Plain with { VirtualCpus = 0 } },
        { "needs a kernel", Plain with { KernelCommandLine = "quiet" } },
        { "needs a console socket", Plain with { ConsoleLogPath = "/log" } },
        { "'7.2,x=y'", Plain with { TypeVersion = "7.2,x=y" } },
        { "only one with versions", Plain with { TypeVersion = "7.2", Type = QemuMachineType.Microvm } },
        { "is not the name of a CPU feature", Plain with { HiddenCpuFeatures = ["avx2", "avx=on,lm"] } },
        { "not a MAC address", Plain with { Network = new(7, "52:54:00:12:34:56,x=y") } },
        { "not a MAC address", Plain with { Network = new(7, "52:54:00:12:34:56\n") } },
        { "must be above 2", Plain with { Network = new(2, "52:54:00:12:34:56") } },
        { "is not an IPv4 address with a prefix", OnUserNetwork("10.0.2.15") },
        { "is not an IPv4 address with a prefix", OnUserNetwork("10.0.2.15/30") },
        { "is not an IPv4 address with a prefix", OnUserNetwork("10.0.2/24") },
        { "is not an IPv4 address with a prefix", OnUserNetwork("10.0.2.15/24,restrict=off") },
        { "address of a network", OnUserNetwork("10.0.2.0/24") },
        { "address of a network", OnUserNetwork("10.0.2.255/24") },
        { "the gateway '10.0.3.1'", OnUserNetwork(gateway: "10.0.3.1") },
        { "the gateway '10.0.2.15'", OnUserNetwork(gateway: "10.0.2.15") },
        { "is no forward", OnUserNetwork(forwards: new QemuForward("tcp", "127.0.0.1", 0, 80)) },
        { "is no forward", OnUserNetwork(forwards: new QemuForward("tcp", "localhost", 80, 80)) },
        { "is no forward", OnUserNetwork(forwards: new QemuForward("sctp", "127.0.0.1", 80, 80)) },
        { "needs the guest's card", Plain with { UserNetwork = new() { GuestAddress = "10.0.2.15/24" } } },
        { "needs the guest's card", Plain with { UserNetwork = new() { GuestAddress = "10.0.2.15/24", CableDescriptor = 7 } } },
        { "needs the guest's card", Full with { UserNetwork = new() { GuestAddress = "10.0.2.15/24", MacAddress = "52:54:00:12:34:56" } } },
        { "use a shorter folder", Plain with { QmpSocketPath = "/" + new string('x', 107) } },
    };

    [Theory]
    [MemberData(nameof(Impossible), DisableDiscoveryEnumeration = true)]
    public void Build_ImpossibleMachine_SaysWhatToChange(string expected, QemuMachine machine)
    {
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => QemuCommandLine.Build(machine)).Message, StringComparison.Ordinal);
    }

    private static string After(IReadOnlyList<string> arguments, string option) => arguments[arguments.ToList().IndexOf(option) + 1];
}
