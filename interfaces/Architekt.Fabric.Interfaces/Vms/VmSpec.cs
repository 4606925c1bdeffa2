namespace Architekt.Fabric;

/// <summary>What to start.</summary>
/// <param name="Name">The VM's name, unique in the fabric.</param>
/// <param name="Package">Name or digest of a package; a host that lacks it pulls it from one that has it.</param>
/// <param name="Host">Where to start it; null lets the fabric choose among the hosts that have the package.</param>
/// <param name="Vcpus">Virtual CPUs, 1 to 64; null takes the package's.</param>
/// <param name="MemoryBytes">RAM in bytes, a multiple of 2 MiB; null takes the package's.</param>
/// <param name="Mac">MAC address of its network card; null derives one from the name.</param>
/// <param name="KernelArguments">Appended to the package's kernel command line, such as an address for the guest.</param>
/// <param name="HasNetwork">Whether it gets a network card on the host's bridge.</param>
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
    bool HasNetwork = true);
