using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Grains;

/// <content>Serving the package to other hosts and to clients: who still reads or writes, and who is gone.</content>
internal sealed partial class PackageGrain
{
    private static readonly TimeSpan ServingCheck = PackageOffer.Lifetime / 4;
    private readonly Dictionary<string, DateTimeOffset> _open = [];
    private IGrainTimer? _servingTimer;

    public async Task<PackageOffer> OpenForPullAsync(CancellationToken cancellationToken)
    {
        var offer = await packages.OpenAsync(Package, cancellationToken);
        KeepServing(offer.Token);
        return offer;
    }

    public Task KeepOpenAsync(string token, CancellationToken cancellationToken)
    {
        if (!_open.ContainsKey(token)) throw FabricException.NotFound($"Host '{Locator.LocalHost}' no longer serves '{Package}' under this token: ask for it again.");
        _open[token] = time.GetUtcNow() + PackageOffer.Lifetime;
        return Task.CompletedTask;
    }

    public async Task CloseAsync(string token, CancellationToken cancellationToken)
    {
        if (!_open.Remove(token)) return;
        await packages.CloseAsync(token);
        StopCheckingIfNothingIsOpen();
    }

    private void KeepServing(string token)
    {
        _open[token] = time.GetUtcNow() + PackageOffer.Lifetime;
        _servingTimer ??= this.RegisterGrainTimer(
            CloseExpiredAsync, new GrainTimerCreationOptions { DueTime = ServingCheck, Period = ServingCheck, Interleave = true });
    }

    private void StopCheckingIfNothingIsOpen()
    {
        if (_open.Count > 0) return;
        _servingTimer?.Dispose();
        _servingTimer = null;
    }

    private async Task CloseExpiredAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        foreach (var token in _open.Where(served => served.Value < now).Select(served => served.Key).ToList())
        {
            LogExpired(Package);
            await CloseAsync(token, cancellationToken);
        }
    }

    [LoggerMessage(1202, LogLevel.Information, "Serving {Package} ends: who pulled or sent it has not been heard of for too long")]
    private partial void LogExpired(string package);
}
