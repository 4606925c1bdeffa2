namespace Architekt.Fabric.Silo.Runtime;

/// <summary>Removes kept RAM at the silo's start and end: it is worth nothing without the silo that knows whose it is.</summary>
internal sealed class KeptMemoryService(KeptMemory kept) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => ClearAsync();

    public Task StopAsync(CancellationToken cancellationToken) => ClearAsync();

    private Task ClearAsync()
    {
        kept.Clear();
        return Task.CompletedTask;
    }
}
