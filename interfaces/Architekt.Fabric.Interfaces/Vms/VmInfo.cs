namespace Architekt.Fabric;

/// <summary>One VM as the fabric knows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State">What it is doing.</param>
/// <param name="Reason">Why it is in that state, when there is something to say.</param>
/// <param name="Host">Its owner.</param>
/// <param name="Epoch">Number of the ownership; grows with each change of owner.</param>
/// <param name="Package">Name of the package it was started from.</param>
/// <param name="PackageDigest">Digest of that package.</param>
/// <param name="Vcpus">Virtual CPUs.</param>
/// <param name="MemoryBytes">RAM, in bytes.</param>
/// <param name="Mac">MAC address of its network card; null without one.</param>
/// <param name="Operation">The operation under way on it, if any.</param>
/// <param name="CreatedAt">When it was created.</param>
/// <param name="OwnedSince">Since when <paramref name="Host"/> has owned it.</param>
/// <param name="Usage">What it holds of its host; only when the VM itself was asked, and it runs.</param>
/// <param name="Restart">Whether it is started again after a fault.</param>
/// <param name="Availability">What becomes of it when its host is lost.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.vm-info")]
public sealed record VmInfo(
    string Name,
    VmState State,
    string? Reason,
    string Host,
    long Epoch,
    string Package,
    string PackageDigest,
    int Vcpus,
    long MemoryBytes,
    string? Mac,
    string? Operation,
    DateTimeOffset CreatedAt,
    DateTimeOffset OwnedSince,
    VmUsage? Usage = null,
    VmRestart Restart = VmRestart.Never,
    VmAvailability Availability = VmAvailability.Normal);
