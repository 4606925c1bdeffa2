namespace Architekt.Fabric.Nbd;

/// <summary>
/// One export of an <see cref="NbdServer"/>. The server has checked every range against <see cref="Size"/> before it calls.
/// Calls come from several connections, and several of one connection, at the same time and in any order.
/// An exception is answered with <see cref="NbdError.InputOutput"/> and logged.
/// </summary>
public interface INbdExport
{
    /// <summary>Name that clients ask for; at most 4096 bytes of UTF-8, no NUL.</summary>
    string Name { get; }

    /// <summary>Size in bytes; does not change while the export is served.</summary>
    long Size { get; }

    /// <summary>True when writes, trims and zeroing are refused.</summary>
    bool IsReadOnly { get; }

    /// <summary>Text for humans in the list of exports, or null.</summary>
    string? Description => null;

    /// <summary>False hides the export from the list; who knows its name can still open it.</summary>
    bool IsListed => true;

    /// <summary>True when a flush on any connection covers writes completed on all of them.</summary>
    bool CanMultiConn => false;

    /// <summary>True when zeroing with a hole is faster than writing zeroes (NBD_CMD_FLAG_FAST_ZERO).</summary>
    bool CanFastZero => false;

    /// <summary>Reads <paramref name="destination"/>.Length bytes.</summary>
    ValueTask<NbdError> ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>Writes all of <paramref name="source"/>, which is only valid until the task ends.</summary>
    ValueTask<NbdError> WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken);

    /// <summary>Makes every completed write durable.</summary>
    ValueTask<NbdError> FlushAsync(CancellationToken cancellationToken);

    /// <summary>Hint that the range is no longer needed; may do nothing.</summary>
    ValueTask<NbdError> TrimAsync(long offset, long length, CancellationToken cancellationToken);

    /// <summary>Makes the range read as zeroes; without <paramref name="mayPunchHole"/> it stays allocated.</summary>
    ValueTask<NbdError> WriteZeroesAsync(long offset, long length, bool mayPunchHole, CancellationToken cancellationToken);

    /// <summary>
    /// Adds consecutive extents that start at <paramref name="offset"/> to the empty list <paramref name="extents"/>: at least one. Covering less than
    /// <paramref name="length"/> is allowed; the client asks again from there.
    /// </summary>
    ValueTask<NbdError> GetExtentsAsync(long offset, long length, IList<NbdExtent> extents, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(extents);
        extents.Add(new NbdExtent(offset, length, NbdExtentState.Data));
        return ValueTask.FromResult(NbdError.None);
    }

    /// <summary>Hint that the range is read soon; may do nothing.</summary>
    ValueTask<NbdError> CacheAsync(long offset, long length, CancellationToken cancellationToken) => ValueTask.FromResult(NbdError.None);

    /// <summary>
    /// Offers memory that a write's payload is received into straight from the socket, in place of <see cref="WriteAsync"/>; exactly <paramref name="length"/> bytes.
    /// The memory must stay valid until the export was removed from the server. A client that disconnects leaves it partly written.
    /// </summary>
    bool TryGetWriteTarget(long offset, int length, out Memory<byte> target)
    {
        target = default;
        return false;
    }

    /// <summary>Called when the payload for a memory from <see cref="TryGetWriteTarget"/> has arrived, before the client gets its reply.</summary>
    void WriteCompleted(long offset, int length)
    {
    }

    /// <summary>Offers memory that a read is answered from, sent straight to the socket, in place of <see cref="ReadAsync"/>; valid until the export was removed from the server.</summary>
    bool TryGetReadSource(long offset, int length, out ReadOnlyMemory<byte> source)
    {
        source = default;
        return false;
    }
}
