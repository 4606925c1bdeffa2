namespace Architekt.Fabric.Faults.History;

/// <summary>A VM has this owner from then on.</summary>
internal sealed record Ownership(string Vm, long Epoch, string Host, DateTimeOffset Since);
