namespace Architekt.Fabric;

/// <summary>What to start.</summary>
/// <param name="Name">The VM's name, unique in the fabric.</param>
/// <param name="Package">Name or digest of a package; a host that lacks it pulls it from one that has it.</param>
/// <param name="Host">Where to start it; null lets the fabric choose among the hosts that have the package.</param>
/// <param name="Vcpus">Virtual CPUs, 1 to 64; null takes the package's. A package with memory allows no others.</param>
/// <param name="MemoryBytes">RAM in bytes, a multiple of 2 MiB; null takes the package's. A package with memory allows no other.</param>
/// <param name="Mac">MAC address of its network card; null derives one from the name.</param>
/// <param name="KernelArguments">Appended to the package's kernel command line; a package with memory has read its own long ago and allows none.</param>
/// <param name="HasNetwork">Whether it gets a network card on the host's bridge. A package with memory has one or not, whatever is asked for here.</param>
/// <param name="Address">IPv4 address and prefix of its network card, such as 10.0.0.5/24; null leaves it to the guest.</param>
/// <param name="Gateway">IPv4 address of its default gateway; only with <paramref name="Address"/>.</param>
/// <param name="Fill">When its RAM is brought in, if the package has memory.</param>
/// <param name="Restart">Whether it is started again after a fault.</param>
/// <param name="Availability">What becomes of it when its host is lost.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.vm-spec")]
public sealed record VmSpec(
    string Name,
    string Package,
    string? Host = null,
    int? Vcpus = null,
    long? MemoryBytes = null,
    string? Mac = null,
    string? KernelArguments = null,
    bool HasNetwork = true,
    string? Address = null,
    string? Gateway = null,
    FillMode Fill = FillMode.Idle,
    VmRestart Restart = VmRestart.Never,
    VmAvailability Availability = VmAvailability.Normal);
