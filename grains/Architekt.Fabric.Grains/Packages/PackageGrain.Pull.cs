using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Grains;

/// <content>
/// Pulling the package to this host. The grain of the digest does it, so that all who ask share one pull whatever name they use; the grain of a name finds out the
/// digest and hands on.
/// </content>
internal sealed partial class PackageGrain
{
    /// <summary>As long as a silo may take to be restarted, which is no reason to give up.</summary>
    private static readonly TimeSpan LongestStandstill = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan PullRetryDelay = TimeSpan.FromSeconds(1);
    private readonly HashSet<string> _pullNames = [];
    private PackageImport? _pull;
    private Task? _pulling;
    private (long Done, long Total) _pulled;
    private string? _pulledDigest;

    public async Task<PackageImport> PullAsync(string? name, CancellationToken cancellationToken)
    {
        FabricNames.RequirePackageReference(Package);
        if (name is not null) FabricNames.RequirePackageName(name);
        if (await runtime.FindPackageAsync(Package, cancellationToken) is { } there) return Arrived(there);
        if (!FabricNames.IsPackageDigest(Package))
        {
            _pulledDigest = await ResolveAsync(cancellationToken);
            return await GrainOf(Locator.LocalHost, _pulledDigest).PullAsync(name ?? (FabricNames.IsPackageName(Package) ? Package : null), cancellationToken);
        }

        if (name is not null) _pullNames.Add(name);
        if (_pulling is null or { IsCompleted: true })
        {
            _pull = null;
            _pulled = default;
            _pulling = RunPullAsync();
        }

        return CurrentPull();
    }

    public async Task<PackageImport> GetPullAsync(CancellationToken cancellationToken)
    {
        if (_pulledDigest is { } digest) return await GrainOf(Locator.LocalHost, digest).GetPullAsync(cancellationToken);
        if (_pulling is { IsCompleted: false } pulling)
            await pulling.WaitAsync(LongestWait, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        if (_pulling is not null) return CurrentPull();
        return await runtime.FindPackageAsync(Package, cancellationToken) is { } there
            ? Arrived(there)
            : Ended(FabricErrorCode.Unavailable, $"The pull of '{Package}' ended with the silo of '{Locator.LocalHost}'; pull it again, what has arrived is still there.");
    }

    public Task<PackageInfo> TagAsync(string name, bool move, CancellationToken cancellationToken) =>
        packages.TagAsync(FabricNames.RequirePackageReference(Package), FabricNames.RequirePackageName(name), move, cancellationToken);

    public Task<string> UntagAsync(CancellationToken cancellationToken) => packages.UntagAsync(FabricNames.RequirePackageName(Package), cancellationToken);

    public Task DeleteAsync(CancellationToken cancellationToken) => packages.DeleteAsync(FabricNames.RequirePackageReference(Package), cancellationToken);

    private IPackageGrain GrainOf(string host, string digest) => GrainFactory.GetGrain<IPackageGrain>(new PackageKey(host, digest).ToString());

    private PackageImport CurrentPull() => _pull ?? new PackageImport(IsFinished: false, _pulled.Done, _pulled.Total, null, null, null);

    private static PackageImport Arrived(PackageInfo package) => new(IsFinished: true, package.SizeBytes, package.SizeBytes, package, null, null);

    private PackageImport Ended(FabricErrorCode code, string error) => new(IsFinished: true, _pulled.Done, _pulled.Total, null, code, error);

    private async Task<string> ResolveAsync(CancellationToken cancellationToken)
    {
        var copies = await sources.FindAsync(Package, Locator.LocalHost, cancellationToken);
        if (copies.Count == 0)
            throw FabricException.NotFound($"No reachable host has a package '{Package}': import it first with 'fabric package import'.");
        return copies.DistinctBy(copy => copy.Digest).Count() == 1
            ? copies[0].Digest
            : throw FabricException.Conflict(
                $"Package '{Package}' is not the same on every host ({string.Join(", ", copies.Select(copy => $"{copy.Host}: {copy.Digest}"))}): pull the one you mean by its digest.");
    }

    private async Task RunPullAsync()
    {
        try
        {
            _pull = Arrived(await PullFromAnyAsync(_deactivated.Token));
        }
        catch (FabricException error)
        {
            _pull = Ended(error.Code, error.Message);
        }
        catch (OperationCanceledException)
        {
            _pull = Ended(FabricErrorCode.Unavailable, $"The silo of '{Locator.LocalHost}' is shutting down; pull '{Package}' again later, what has arrived is still there.");
        }
        catch (Exception error)
        {
            LogPullFailed(Package, error);
            _pull = Ended(FabricErrorCode.Internal, error.Message);
        }
    }

    /// <summary>Goes from host to host until the package is here, one has nothing to do with it, or nothing has arrived for too long.</summary>
    private async Task<PackageInfo> PullFromAnyAsync(CancellationToken cancellationToken)
    {
        var wrong = new HashSet<string>();
        FabricException? last = null;
        var (progressed, before) = (time.GetTimestamp(), 0L);
        while (true)
        {
            var copies = await sources.FindAsync(Package, Locator.LocalHost, cancellationToken);
            foreach (var copy in copies.Where(copy => !wrong.Contains(copy.Host)))
            {
                try
                {
                    return await PullFromAsync(copy.Host, cancellationToken);
                }
                catch (FabricException error) when (error.IsTransient || error.Code == FabricErrorCode.Failed)
                {
                    LogSourceFailed(Package, copy.Host, error.Message);
                    last = error;
                    if (!error.IsTransient) wrong.Add(copy.Host);
                }
            }

            // A host that is being restarted comes back; one that serves something wrong does not get better.
            if (_pulled.Done > before) (progressed, before) = (time.GetTimestamp(), _pulled.Done);
            if (time.GetElapsedTime(progressed) > LongestStandstill || last is not { IsTransient: true })
                throw last ?? FabricException.NotFound($"No reachable host has the package '{Package}': import it first with 'fabric package import'.");
            await Task.Delay(PullRetryDelay, time, cancellationToken);
        }
    }

    private async Task<PackageInfo> PullFromAsync(string host, CancellationToken cancellationToken)
    {
        var source = GrainOf(host, Package);
        PackageOffer? offer = null;
        try
        {
            offer = await source.OpenForPullAsync(cancellationToken);
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var keeping = KeepOpenAsync(source, offer.Token, ending.Token);
            try
            {
                var reports = new ImmediateProgress(report => _pulled = report);
                return await packages.PullAsync(offer with { Digest = Package }, [.. _pullNames], reports, cancellationToken);
            }
            finally
            {
                await ending.CancelAsync();
                await keeping;
            }
        }
        catch (Exception error) when (error is OrleansException or TimeoutException)
        {
            throw FabricException.Unavailable($"Host '{host}' does not answer: {error.Message}", error);
        }
        finally
        {
            if (offer is not null) await CloseQuietlyAsync(source, offer.Token);
        }
    }

    private async Task KeepOpenAsync(IPackageGrain source, string token, CancellationToken cancellationToken)
    {
        try
        {
            using var timer = new PeriodicTimer(ServingCheck, time);
            while (await timer.WaitForNextTickAsync(cancellationToken)) await source.KeepOpenAsync(token, cancellationToken);
        }
        catch (Exception error) when (error is FabricException or OrleansException or TimeoutException or OperationCanceledException)
        {
            // If the source is gone, the pull hears of it by itself.
        }
    }

    private static async Task CloseQuietlyAsync(IPackageGrain source, string token)
    {
        try
        {
            await source.CloseAsync(token, CancellationToken.None);
        }
        catch (Exception error) when (error is FabricException or OrleansException or TimeoutException)
        {
            // It closes by itself after a while.
        }
    }

    [LoggerMessage(1203, LogLevel.Warning, "{Package} could not be pulled from {Host}: {Reason}")]
    private partial void LogSourceFailed(string package, string host, string reason);

    [LoggerMessage(1204, LogLevel.Error, "The pull of {Package} failed unexpectedly")]
    private partial void LogPullFailed(string package, Exception error);
}
