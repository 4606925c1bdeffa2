using System.ComponentModel.DataAnnotations;

namespace Architekt.Fabric.Silo;

/// <summary>How one host is set up: configuration section <c>Fabric</c>, or environment variables <c>Fabric__Name</c>.</summary>
public sealed class FabricOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Fabric";

    /// <summary>The user QEMU runs as unless told otherwise.</summary>
    public const int DefaultQemuUserId = Fabric.Peers.QemuUser.DefaultId;

    /// <summary>The host's name, unique in the fabric; defaults to the machine's.</summary>
    public string HostName { get; set; } = DefaultHostName();

    /// <summary>IP address other silos, peers and clients reach this host at.</summary>
    [Required]
    public string AdvertisedAddress { get; set; } = "127.0.0.1";

    /// <summary>TCP port for other silos.</summary>
    [Range(1, 65535)]
    public int SiloPort { get; set; } = 11111;

    /// <summary>TCP port for clients.</summary>
    [Range(1, 65535)]
    public int GatewayPort { get; set; } = 30000;

    /// <summary>TCP port of the health endpoint.</summary>
    [Range(1, 65535)]
    public int HealthPort { get; set; } = 8081;

    /// <summary>TCP port that packages are served on to other hosts and to clients; 0 takes any that is free.</summary>
    [Range(0, 65535)]
    public int PackagePort { get; set; } = 30001;

    /// <summary>Folder for what must survive a restart of the machine: packages, disks, logs, the embedded Postgres.</summary>
    public string StateFolder { get; set; } = DefaultStateFolder();

    /// <summary>Folder on tmpfs for running VMs: RAM and sockets. Defaults to <c>/dev/shm/architekt-HOST</c>.</summary>
    public string? RuntimeFolder { get; set; }

    /// <summary>Connection string of the fabric's Postgres; without one a private one is started in the state folder.</summary>
    public string? Postgres { get; set; }

    /// <summary>TCP port of the private Postgres.</summary>
    [Range(1, 65535)]
    public int EmbeddedPostgresPort { get; set; } = 15432;

    /// <summary>The bridge VMs join; without one VMs cannot have a network.</summary>
    public string? Bridge { get; set; }

    /// <summary>Guest memory this host offers, in bytes; defaults to 80 % of the machine's.</summary>
    [Range(1L << 20, 1L << 50)]
    public long? MemoryBytes { get; set; }

    /// <summary>
    /// RAM of VMs that moved away, in bytes, that is kept in case they come back; given up first when room is needed. Defaults to a quarter of what the host offers; 0 keeps none.
    /// </summary>
    [Range(0, 1L << 50)]
    public long? KeptMemoryBytes { get; set; }

    /// <summary>How long the RAM of a VM that moved away is kept, at most a week.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "7.00:00:00")]
    public TimeSpan KeptMemoryAge { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How long a host may run a VM with fail-over without having reached Postgres, 5 s to 10 min. The same on all hosts of a fabric.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:05", "00:10:00")]
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long after the end of such a lease another host starts the VM: more than a peer takes to stop its guest. 3 s to 10 min; the same on all hosts of a fabric.</summary>
    [Range(typeof(TimeSpan), "00:00:03", "00:10:00")]
    public TimeSpan LeaseMargin { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Virtual CPUs this host offers; defaults to four per processor.</summary>
    [Range(1, 65536)]
    public int? Vcpus { get; set; }

    /// <summary>User and group id QEMU runs as; 0 means the silo's own. Only root can choose another.</summary>
    [Range(0, int.MaxValue)]
    public int? QemuUserId { get; set; }

    /// <summary>QEMU's executable.</summary>
    [Required]
    public string QemuBinary { get; set; } = "qemu-system-x86_64";

    /// <summary>The peer's executable; defaults to the one beside the silo.</summary>
    public string PeerPath { get; set; } = Path.Combine(AppContext.BaseDirectory, "peer", "architekt-peer");

    /// <summary>kvm or tcg; without it the host finds out by booting.</summary>
    [RegularExpression("kvm|tcg", ErrorMessage = "Fabric:Accelerator must be 'kvm' or 'tcg'.")]
    public string? Accelerator { get; set; }

    /// <summary>
    /// Where compose/faults.sh puts the files that hold migrations (<see cref="Architekt.Fabric.Processes.FileGate"/>). Not a setting for users, and in no
    /// documentation of theirs: whoever could write there could stop guests in their pause. So it is refused outside the environment "Test".
    /// </summary>
    public string? FaultGateFolder { get; set; }

    /// <summary>The Orleans cluster to join.</summary>
    [Required]
    public string ClusterId { get; set; } = FabricNames.DefaultClusterId;

    /// <summary>The runtime folder in effect.</summary>
    public string EffectiveRuntimeFolder => RuntimeFolder ?? $"/dev/shm/architekt-{HostName}";

    private static string DefaultHostName() => Environment.MachineName.Split('.')[0].ToLowerInvariant();

    private static string DefaultStateFolder() => Environment.IsPrivilegedProcess
        ? "/var/lib/architekt"
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "architekt");
}
