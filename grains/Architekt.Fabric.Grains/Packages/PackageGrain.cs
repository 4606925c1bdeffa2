using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Placement;
using Orleans.Storage;

namespace Architekt.Fabric.Grains;

/// <summary>A package on a host. Runs at most one import and one pull at a time; the store beneath decides what is there.</summary>
[GrainType(PinnedGrainTypes.Package)]
[HostPinned, KeepAlive, Immovable, Reentrant]
internal sealed partial class PackageGrain(
    HostLocator locator,
    IHostRuntime runtime,
    IPackageRuntime packages,
    PackageSources sources,
    [FromKeyedServices(GrainServices.StorageName)] IGrainStorage storage,
    TimeProvider time,
    ILogger<PackageGrain> logger) : PinnedGrain(locator), IPackageGrain, IDisposable
{
    private const string RecordName = "package";
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource _deactivated = new();
    private readonly GrainState<PackageImportRecord> _record = new(new PackageImportRecord());
    private bool _isRecordRead;
    private PackageImport _import = new(IsFinished: true, 0, 0, null, null, null);
    private Task? _importing;
    private string? _committing;
    private (string Path, long Done, long Total) _progress;

    private string Package => PackageKey.Parse(this.GetPrimaryKeyString()).Package;

    public Task<PackageImport> ImportAsync(string path, CancellationToken cancellationToken)
    {
        FabricNames.RequirePackageName(Package);
        if (_importing is { IsCompleted: false })
        {
            if (_progress.Path != path) RefuseDuringImport();
            return Task.FromResult(Current());
        }

        return Task.FromResult(BeginImport(path, (reports, stopping) => runtime.ImportPackageAsync(path, Package, reports, stopping)));
    }

    public async Task<PackageImport> GetImportAsync(CancellationToken cancellationToken)
    {
        if (_importing is { IsCompleted: false } importing)
            await importing.WaitAsync(LongestWait, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        else if (_importing is null && await RecordAsync() is { RecordExists: true, State: { } last })
            return await RecallAsync(last, cancellationToken);
        return Current();
    }

    public Task<PackageInfo?> FindAsync(CancellationToken cancellationToken) => runtime.FindPackageAsync(Package, cancellationToken);

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _deactivated.CancelAsync();
        foreach (var work in new[] { _importing, _pulling })
            if (work is not null) await work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        foreach (var token in _open.Keys.ToList()) await CloseAsync(token, CancellationToken.None);
    }

    public void Dispose() => _deactivated.Dispose();

    private PackageImport Current() => _import.IsFinished ? _import : _import with { BytesDone = _progress.Done, BytesTotal = _progress.Total };

    /// <summary>The answer for who asks after an import that another activation ran.</summary>
    private async Task<PackageImport> RecallAsync(PackageImportRecord last, CancellationToken cancellationToken)
    {
        if (last.Error is not null) return new PackageImport(IsFinished: true, 0, 0, null, last.ErrorCode, last.Error);
        if (await runtime.FindPackageAsync(Package, cancellationToken) is { } package)
            return new PackageImport(IsFinished: true, package.SizeBytes, package.SizeBytes, package, null, null);
        return new PackageImport(
            IsFinished: true, 0, 0, null, FabricErrorCode.Failed, $"The import of '{Package}' from '{last.Path}' ended with the silo; import it again.");
    }

    /// <summary>Not with the activation: a host that is cut off from Postgres still has its packages, and others may need them just then.</summary>
    private async Task<GrainState<PackageImportRecord>> RecordAsync()
    {
        if (_isRecordRead) return _record;
        try
        {
            await storage.ReadStateAsync(RecordName, this.GetGrainId(), _record);
        }
        catch (Exception error) when (error is not FabricException)
        {
            throw FabricException.Unavailable($"What became of the import of '{Package}' on '{Locator.LocalHost}' cannot be read now: {error.Message}", error);
        }

        _isRecordRead = true;
        return _record;
    }

    private PackageImport BeginImport(string path, ImportWork work)
    {
        _progress = (path, 0, 0);
        _import = new PackageImport(IsFinished: false, 0, 0, null, null, null);
        _importing = RunImportAsync(path, work);
        return Current();
    }

    private async Task RunImportAsync(string path, ImportWork work)
    {
        var begunAt = time.GetUtcNow();
        await RememberAsync(new PackageImportRecord { Path = path, BegunAt = begunAt });
        await ImportFromAsync(path, work);
        await RememberAsync(new PackageImportRecord
        {
            Path = path,
            BegunAt = begunAt,
            IsFinished = true,
            ErrorCode = _import.ErrorCode,
            Error = _import.Error,
        });
    }

    /// <summary>Forgetting is no reason to fail: what is in the store is the truth about a package.</summary>
    private async Task RememberAsync(PackageImportRecord now)
    {
        try
        {
            var record = await RecordAsync();
            record.State = now;
            await storage.WriteStateAsync(RecordName, this.GetGrainId(), record);
        }
        catch (Exception error)
        {
            LogNotRemembered(Package, error.Message);
        }
    }

    private async Task ImportFromAsync(string path, ImportWork work)
    {
        try
        {
            var reports = new ImmediateProgress(report => _progress = (path, report.Done, report.Total));
            var package = await work(reports, _deactivated.Token);
            _import = new PackageImport(IsFinished: true, package.SizeBytes, package.SizeBytes, package, null, null);
        }
        catch (FabricException error)
        {
            _import = new PackageImport(IsFinished: true, _progress.Done, _progress.Total, null, error.Code, error.Message);
        }
        catch (OperationCanceledException)
        {
            _import = new PackageImport(IsFinished: true, _progress.Done, _progress.Total, null, FabricErrorCode.Cancelled, "The silo is shutting down; import the package again later.");
        }
        catch (Exception error)
        {
            _import = new PackageImport(IsFinished: true, _progress.Done, _progress.Total, null, FabricErrorCode.Internal, error.Message);
        }
    }

    [LoggerMessage(1201, LogLevel.Warning, "The import of {Package} could not be remembered: {Reason}")]
    private partial void LogNotRemembered(string package, string reason);

    private delegate Task<PackageInfo> ImportWork(IProgress<(long Done, long Total)> progress, CancellationToken cancellationToken);

    /// <summary><see cref="Progress{T}"/> would post to another context; a torn number in a progress bar is harmless.</summary>
    private sealed class ImmediateProgress(Action<(long Done, long Total)> report) : IProgress<(long Done, long Total)>
    {
        public void Report((long Done, long Total) value) => report(value);
    }
}
