using Architekt.Fabric.Nbd;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.PackageTransfer;

/// <summary>An entry that is written to. What was written counts as arrived once it is flushed.</summary>
internal sealed class IntakeExport(string name, PackagePull pull, PackageEntry entry) : INbdExport
{
    private readonly Lock _lock = new();
    private List<PackageRange> _written = [];

    public string Name => name;

    public long Size => entry.Size;

    public bool IsReadOnly => false;

    public bool IsListed => false;

    public bool CanMultiConn => true;

    public ValueTask<NbdError> ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken) => ValueTask.FromResult(NbdError.NotPermitted);

    public ValueTask<NbdError> WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken) => RunAsync(() =>
    {
        pull.Write(entry.Name, offset, source.Span);
        Note(new PackageRange(offset, source.Length));
    });

    /// <summary>Nothing to write: what has not been written is a hole.</summary>
    public ValueTask<NbdError> WriteZeroesAsync(long offset, long length, bool mayPunchHole, CancellationToken cancellationToken)
    {
        Note(new PackageRange(offset, length));
        return ValueTask.FromResult(NbdError.None);
    }

    public ValueTask<NbdError> FlushAsync(CancellationToken cancellationToken) => RunAsync(() =>
    {
        List<PackageRange> written;
        lock (_lock)
            (written, _written) = (_written, []);
        foreach (var range in Merge(written))
            pull.Complete(entry.Name, range);
    });

    public ValueTask<NbdError> TrimAsync(long offset, long length, CancellationToken cancellationToken) => ValueTask.FromResult(NbdError.None);

    private void Note(PackageRange range)
    {
        if (range.Length == 0)
            return;
        lock (_lock)
            _written.Add(range);
    }

    private static IEnumerable<PackageRange> Merge(List<PackageRange> ranges)
    {
        ranges.Sort((one, other) => one.Offset.CompareTo(other.Offset));
        for (var index = 0; index < ranges.Count;)
        {
            var (start, end) = (ranges[index].Offset, ranges[index].End);
            for (index++; index < ranges.Count && ranges[index].Offset <= end; index++)
                end = Math.Max(end, ranges[index].End);
            yield return new PackageRange(start, end - start);
        }
    }

    /// <summary>Off the connection's loop: a disk may be slow.</summary>
    private static ValueTask<NbdError> RunAsync(Action work) => new(Task.Run(() =>
    {
        try
        {
            work();
            return NbdError.None;
        }
        catch (PackageException error) when (error.Code == PackageErrorCode.NoSpace)
        {
            return NbdError.NoSpace;
        }
    }));
}
