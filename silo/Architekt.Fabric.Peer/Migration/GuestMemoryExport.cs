using Architekt.Fabric.Memory;
using Architekt.Fabric.Nbd;

namespace Architekt.Fabric.Peer.Migration;

/// <summary>
/// The destination's RAM as a writable export: payloads are received straight into the guest's mapping. RAM needs no FLUSH; the source sends
/// one to have the guest's disk written out before it stops the guest.
/// </summary>
internal sealed class GuestMemoryExport(string name, GuestMemory memory, ReceivedPages received, DiskReceiver? disk) : INbdExport
{
    private volatile bool _isClosed;

    /// <summary>The source has handed over: from now on the RAM is the guest's, and whatever still comes is refused.</summary>
    public void Close() => _isClosed = true;

    public string Name => name;

    public long Size => memory.Length;

    public bool IsReadOnly => false;

    public bool IsListed => false;

    public bool CanMultiConn => true;

    public bool CanFastZero => true;

    public ValueTask<NbdError> ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        memory.GetSpan(offset, destination.Length).CopyTo(destination.Span);
        return ValueTask.FromResult(NbdError.None);
    }

    public ValueTask<NbdError> WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        if (_isClosed) return ValueTask.FromResult(NbdError.NotPermitted);
        received.Add(offset, source.Length);
        source.Span.CopyTo(memory.GetSpan(offset, source.Length));
        return ValueTask.FromResult(NbdError.None);
    }

    public async ValueTask<NbdError> FlushAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (disk is not null) await disk.FlushAsync(cancellationToken);
            return NbdError.None;
        }
        catch (IOException)
        {
            return NbdError.InputOutput;
        }
    }

    public ValueTask<NbdError> TrimAsync(long offset, long length, CancellationToken cancellationToken) => ValueTask.FromResult(NbdError.None);

    public ValueTask<NbdError> WriteZeroesAsync(long offset, long length, bool mayPunchHole, CancellationToken cancellationToken)
    {
        if (_isClosed) return ValueTask.FromResult(NbdError.NotPermitted);
        received.Add(offset, length);
        if (mayPunchHole && offset % GuestMemory.PageSize == 0 && length % GuestMemory.PageSize == 0)
        {
            memory.PunchHole(offset, length);
            return ValueTask.FromResult(NbdError.None);
        }

        while (length > 0)
        {
            var piece = (int)Math.Min(length, 1 << 20);
            memory.GetSpan(offset, piece).Clear();
            offset += piece;
            length -= piece;
        }

        return ValueTask.FromResult(NbdError.None);
    }

    public bool TryGetWriteTarget(long offset, int length, out Memory<byte> target)
    {
        target = default;
        if (_isClosed) return false;
        received.Add(offset, length);
        target = memory.GetMemory(offset, length);
        return true;
    }
}
