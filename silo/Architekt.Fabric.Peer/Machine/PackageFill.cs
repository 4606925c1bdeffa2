using Architekt.Fabric.Memory;
using Architekt.Fabric.Peer.Hosting;

namespace Architekt.Fabric.Peer.Machine;

/// <summary>RAM that comes from the package while the guest runs, in the words of the peer's API.</summary>
internal sealed class PackageFill : IAsyncDisposable
{
    private readonly PackageMemory _package;
    private readonly LazyFill _fill;

    private PackageFill(PackageMemory package, LazyFill fill)
    {
        _package = package;
        _fill = fill;
    }

    public PeerFill Status
    {
        get
        {
            var progress = _fill.Progress;
            return new PeerFill(
                progress.State switch { FillState.Complete => "complete", FillState.Failed => "failed", _ => "filling" },
                progress.PagesOnDemand,
                progress.PagesFilled * GuestMemory.PageSize,
                progress.DataPages * GuestMemory.PageSize,
                _fill.Mode switch { FillMode.None => "none", FillMode.Now => "now", _ => "idle" });
        }
    }

    public static FillMode ParseMode(string mode) => mode switch
    {
        "none" => FillMode.None,
        "idle" => FillMode.Idle,
        "now" => FillMode.Now,
        _ => throw PeerException.Refused($"There is no fill mode '{mode}': it can be none, idle or now."),
    };

    /// <summary>To be called before anything touches the RAM.</summary>
    public static PackageFill Start(GuestMemory memory, DirtyTracker tracker, PeerInstance instance, TimeProvider time, ILogger logger)
    {
        var package = PackageMemory.Open(instance.PackageMemoryPath!);
        try
        {
            var fill = LazyFill.Start(memory, tracker, package, new LazyFillOptions { Mode = ParseMode(instance.Fill) }, time);
            _ = fill.Completion.ContinueWith(
                ended => LogFailure(logger, instance.Vm, ended.Exception!.GetBaseException()),
                CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            return new PackageFill(package, fill);
        }
        catch
        {
            package.Dispose();
            throw;
        }
    }

    public void SetMode(string mode) => _fill.Mode = ParseMode(mode);

    /// <summary>Brings all that is missing and waits for it.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _fill.CompleteAsync(cancellationToken);
        }
        catch (MemoryFillException error)
        {
            throw PeerException.Failed(error.Message);
        }
    }

    /// <summary>That QEMU has ended is told by its exit.</summary>
    private static void LogFailure(ILogger logger, string vm, Exception error)
    {
        if (error is not MemoryFillException { Error: MemoryFillError.ProcessGone }) PeerLog.FillFailed(logger, vm, error);
    }

    public async ValueTask DisposeAsync()
    {
        await _fill.DisposeAsync();
        _package.Dispose();
    }
}
