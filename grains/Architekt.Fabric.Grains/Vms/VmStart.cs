namespace Architekt.Fabric.Grains;

/// <summary>How to start an instance.</summary>
/// <param name="Kind">From what.</param>
/// <param name="Fill">When the RAM of a resumed VM is brought in.</param>
/// <param name="Address">IPv4 address and prefix of its card; null leaves it to the guest. Only for a VM that resumes; one that boots has it on its kernel command line.</param>
/// <param name="Gateway">IPv4 address of its default gateway, or null.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.vm-start")]
public sealed record VmStart(StartKind Kind, FillMode Fill = FillMode.Idle, string? Address = null, string? Gateway = null);
