namespace Architekt.Fabric.Client;

/// <summary>How to make a package from a blueprint: boot it, wait until the guest says that it is up, and write down its memory, device state and disk.</summary>
/// <param name="Blueprint">Name or digest of the blueprint in the host's store.</param>
/// <param name="Name">Name of the package; must be free on the host.</param>
/// <param name="Host">Where to make it; null lets the fabric choose among the hosts that have the blueprint.</param>
public sealed record PackageRecipe(string Blueprint, string Name, string? Host = null)
{
    private const string OperationPrefix = "op-";

    /// <summary>How long the guest may take until it says that it is up, 1 second to 1 day.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Virtual CPUs, 1 to 64; null takes the blueprint's.</summary>
    public int? Vcpus { get; init; }

    /// <summary>RAM in bytes, a multiple of 2 MiB; null takes the blueprint's.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>Appended to the blueprint's kernel command line.</summary>
    public string? KernelArguments { get; init; }

    /// <summary>Whether the machine gets a network card; so do the VMs that are resumed from the package, or not.</summary>
    public bool HasNetwork { get; init; } = true;

    /// <summary>IPv4 address and prefix for the guest while the package is made, such as 10.0.0.5/24; null leaves it to the guest.</summary>
    public string? Address { get; init; }

    /// <summary>IPv4 address of its default gateway; only with <see cref="Address"/>.</summary>
    public string? Gateway { get; init; }

    /// <summary>The VM of the operation that makes it.</summary>
    internal VmSpec ToSpec(string operation) => new(
        FabricNames.MakingPrefix + (operation.StartsWith(OperationPrefix, StringComparison.Ordinal) ? operation[OperationPrefix.Length..] : operation),
        Blueprint,
        Host,
        Vcpus,
        MemoryBytes,
        KernelArguments: KernelArguments,
        HasNetwork: HasNetwork,
        Address: Address,
        Gateway: Gateway,
        // All of it is about to be read.
        Fill: FillMode.Now);
}
