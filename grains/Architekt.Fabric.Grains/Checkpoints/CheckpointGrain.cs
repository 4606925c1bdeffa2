using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Placement;

namespace Architekt.Fabric.Grains;

/// <summary>Keeps the driver of one checkpoint on the VM's own host.</summary>
[GrainType(PinnedGrainTypes.Checkpoint)]
[HostPinned, KeepAlive, Immovable, Reentrant]
internal sealed class CheckpointGrain : PinnedGrain, ICheckpointGrain, IDisposable
{
    private readonly CheckpointDriver _driver;

    public CheckpointGrain(
        HostLocator locator, IHostRuntime runtime, IOperationStore operations, TemporaryVm temporary, TimeProvider time, ILogger<CheckpointGrain> logger)
        : base(locator) => _driver = new CheckpointDriver(this.GetPrimaryKeyString(), runtime.CheckpointAsync, operations, temporary, time, logger);

    public Task StartAsync(CancellationToken cancellationToken) => _driver.StartAsync(cancellationToken);

    public Task<CheckpointResult?> WaitAsync(int waitMs, CancellationToken cancellationToken) => _driver.WaitAsync(waitMs, cancellationToken);

    public Task CancelAsync(CancellationToken cancellationToken) => _driver.CancelAsync(cancellationToken);

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _driver.GiveUpAsync();

    public void Dispose() => _driver.Dispose();
}
