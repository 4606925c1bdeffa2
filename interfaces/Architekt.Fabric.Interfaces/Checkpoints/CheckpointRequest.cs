namespace Architekt.Fabric;

/// <summary>What a checkpoint is asked to do.</summary>
/// <param name="Operation">Id of the operation, chosen by the caller: a repeated request with the same id is the same checkpoint.</param>
/// <param name="Package">Name of the package it makes; must be free on the VM's host.</param>
/// <param name="KeepRunning">Whether the guest goes on afterwards; otherwise the VM is stopped.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.checkpoint-request")]
public sealed record CheckpointRequest(string Operation, string Package, bool KeepRunning);
