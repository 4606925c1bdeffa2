using Architekt.Fabric.Client.Connection;

namespace Architekt.Fabric.Client.Packages;

/// <summary>Keeps what a host serves for a client open, and closes it when disposed, which is harmless where it was closed.</summary>
internal sealed class OpenOffer : IAsyncDisposable
{
    private readonly FabricConnection _connection;
    private readonly string _key;
    private readonly string _token;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _keeping;

    public OpenOffer(FabricConnection connection, string key, string token)
    {
        (_connection, _key, _token) = (connection, key, token);
        _keeping = KeepOpenAsync(_ending.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await _keeping.ConfigureAwait(false);
        _ending.Dispose();
        try
        {
            await CallAsync(package => package.CloseAsync(_token, CancellationToken.None), CancellationToken.None).ConfigureAwait(false);
        }
        catch (FabricException)
        {
            // It closes by itself after a while.
        }
    }

    private async Task KeepOpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var timer = new PeriodicTimer(PackageOffer.Lifetime / 4, _connection.Options.TimeProvider);
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
                await CallAsync(package => package.KeepOpenAsync(_token, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is FabricException or OperationCanceledException)
        {
            // If the host is gone, whoever reads or writes there hears of it by itself.
        }
    }

    private Task<bool> CallAsync(Func<IPackageGrain, Task> call, CancellationToken cancellationToken) => _connection.CallAsync(
        async grains =>
        {
            await call(grains.GetGrain<IPackageGrain>(_key)).ConfigureAwait(false);
            return true;
        },
        cancellationToken);
}
