using Architekt.Fabric.Nbd;

namespace Architekt.Fabric.PackageTransfer.Tests;

/// <summary>A file that is exported read-only, counts what is read of it, and can be made to lie.</summary>
internal sealed class WatchedExport(string name, string path) : INbdExport, IDisposable
{
    private readonly FileExport _file = FileExport.Open(name, path, new FileExportOptions { IsReadOnly = true });
    private long _bytesRead;

    public long BytesRead => Volatile.Read(ref _bytesRead);

    /// <summary>Whether one bit of what is read is wrong.</summary>
    public bool Lies { get; init; }

    /// <summary>Added to the file's size.</summary>
    public long MoreBytes { get; init; }

    public string Name => _file.Name;

    public long Size => _file.Size + MoreBytes;

    public bool IsReadOnly => true;

    public bool CanMultiConn => true;

    public async ValueTask<NbdError> ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        Interlocked.Add(ref _bytesRead, destination.Length);
        var result = await _file.ReadAsync(offset, destination, cancellationToken);
        if (Lies)
            destination.Span[0] ^= 1;
        return result;
    }

    public ValueTask<NbdError> GetExtentsAsync(long offset, long length, IList<NbdExtent> extents, CancellationToken cancellationToken) =>
        _file.GetExtentsAsync(offset, length, extents, cancellationToken);

    public ValueTask<NbdError> WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<NbdError> FlushAsync(CancellationToken cancellationToken) => ValueTask.FromResult(NbdError.None);

    public ValueTask<NbdError> TrimAsync(long offset, long length, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<NbdError> WriteZeroesAsync(long offset, long length, bool mayPunchHole, CancellationToken cancellationToken) => throw new NotSupportedException();

    public void Dispose() => _file.Dispose();
}
