using Architekt.Fabric.Memory;
using Architekt.Fabric.Peer.Hosting;

namespace Architekt.Fabric.Peer.Machine;

/// <summary>RAM that comes from the package while the guest runs, in the words of the peer's API.</summary>
internal sealed class PackageFill : IAsyncDisposable
{
    private readonly PackageMemory _package;
    private readonly PageSet? _first;
    private LazyFill? _fill;

    private PackageFill(PackageMemory package, PageSet? first)
    {
        _package = package;
        _first = first;
    }

    private LazyFill Fill => _fill ?? throw new InvalidOperationException("Nothing was filled yet.");

    public PeerFill Status
    {
        get
        {
            var progress = Fill.Progress;
            return new PeerFill(
                progress.State switch { FillState.Complete => "complete", FillState.Failed => "failed", _ => "filling" },
                progress.PagesOnDemand,
                progress.PagesFilled * GuestMemory.PageSize,
                progress.DataPages * GuestMemory.PageSize,
                Fill.Mode switch { FillMode.None => "none", FillMode.Now => "now", _ => "idle" });
        }
    }

    public static FillMode ParseMode(string mode) => mode switch
    {
        "none" => FillMode.None,
        "idle" => FillMode.Idle,
        "now" => FillMode.Now,
        _ => throw PeerException.Refused($"There is no fill mode '{mode}': it can be none, idle or now."),
    };

    /// <summary>Gets all ready that can be before there is RAM to fill.</summary>
    public static PackageFill Open(PeerInstance instance, ILogger logger) => new(PackageMemory.Open(instance.PackageMemoryPath!), ReadFirst(instance, logger));

    /// <summary>To be called once, before anything touches the RAM.</summary>
    public void Start(GuestMemory memory, DirtyTracker tracker, PeerInstance instance, TimeProvider time, ILogger logger)
    {
        _fill = LazyFill.Start(memory, tracker, _package, new LazyFillOptions { Mode = ParseMode(instance.Fill), First = _first }, time);
        _ = _fill.Completion.ContinueWith(
            ended => LogFailure(logger, instance.Vm, ended.Exception!.GetBaseException()),
            CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    /// <summary>Writes down what the guest has touched until now, for others of its package.</summary>
    public void RememberFirst(PeerInstance instance, ILogger logger)
    {
        var touched = Fill.PagesOnDemand;
        if (instance is not { FirstPagesPath: { } path, PackageDigest: { } digest } || touched.IsEmpty) return;
        if (_first is not null) touched.UnionWith(_first);
        if (touched.Pages == _first?.Pages || touched.Pages > LazyFill.MostPagesOnDemand) return;
        try
        {
            touched.Save(path, digest);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            PeerLog.FirstPagesUnusable(logger, path, error.Message);
        }
    }

    public void SetMode(string mode) => Fill.Mode = ParseMode(mode);

    /// <summary>Brings all that is missing and waits for it.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Fill.CompleteAsync(cancellationToken);
        }
        catch (MemoryFillException error)
        {
            throw PeerException.Failed(error.Message);
        }
    }

    /// <summary>A guest without it only takes longer.</summary>
    private static PageSet? ReadFirst(PeerInstance instance, ILogger logger)
    {
        if (instance is not { FirstPagesPath: { } path, PackageDigest: { } digest } || !File.Exists(path)) return null;
        try
        {
            var first = PageSet.Load(path, digest);
            return first.Length == instance.MemoryBytes ? first : null;
        }
        catch (Exception error) when (error is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            PeerLog.FirstPagesUnusable(logger, path, error.Message);
            return null;
        }
    }

    /// <summary>That QEMU has ended is told by its exit.</summary>
    private static void LogFailure(ILogger logger, string vm, Exception error)
    {
        if (error is not MemoryFillException { Error: MemoryFillError.ProcessGone }) PeerLog.FillFailed(logger, vm, error);
    }

    public async ValueTask DisposeAsync()
    {
        if (_fill is not null) await _fill.DisposeAsync();
        _package.Dispose();
    }
}
