namespace Architekt.Fabric.Qemu;

/// <summary>Answer of <c>query-status</c>.</summary>
/// <param name="Running">Whether the virtual CPUs run.</param>
/// <param name="Status">The state in detail.</param>
public sealed record QmpStatus(bool Running, RunState Status);
