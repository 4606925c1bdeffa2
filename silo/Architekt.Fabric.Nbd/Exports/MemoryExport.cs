namespace Architekt.Fabric.Nbd;

/// <summary>
/// Export of memory. Reads and writes go between the socket and the memory without a copy in between. The memory must stay valid until the export was removed from
/// its server; writing it at the same time, as a guest does, is allowed.
/// </summary>
public sealed class MemoryExport : INbdExport
{
    /// <summary>Granularity of <see cref="MemoryExportOptions.PunchHole"/>.</summary>
    private const long PageSize = 4096;

    /// <summary>Longest slice taken at once.</summary>
    private const int MaxSlice = 1 << 30;

    /// <summary>Clearing more than this would keep a connection's other requests waiting.</summary>
    private const long MaxInlineClear = 4 << 20;

    private readonly Func<long, int, Memory<byte>> _slice;
    private readonly MemoryExportOptions _options;
    private readonly Action<long, long>? _punchHole;

    /// <summary>Exports <paramref name="memory"/>.</summary>
    public MemoryExport(string name, Memory<byte> memory, MemoryExportOptions? options = null)
        : this(name, memory.Length, (offset, length) => memory.Slice((int)offset, length), options)
    {
    }

    /// <summary>Exports memory of any size: <paramref name="slice"/> gives the part at an offset of a length of at most 1 GiB. It is called for every request.</summary>
    public MemoryExport(string name, long size, Func<long, int, Memory<byte>> slice, MemoryExportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        ArgumentNullException.ThrowIfNull(slice);
        Name = name;
        Size = size;
        _slice = slice;
        _options = options ?? new MemoryExportOptions();
        _punchHole = _options.PunchHole ?? (_options.BackingFile is { } file && SparseFile.CanPunch(file, size) ? (offset, length) => SparseFile.Punch(file, offset, length) : null);
    }

    /// <summary>Exports <paramref name="size"/> bytes of unmanaged memory at <paramref name="address"/>, for example a mapped file.</summary>
    public static MemoryExport FromAddress(string name, nint address, long size, MemoryExportOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        return new MemoryExport(name, size, new MemoryWindows(address, size).Slice, options);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public long Size { get; }

    /// <inheritdoc/>
    public bool IsReadOnly => _options.IsReadOnly;

    /// <inheritdoc/>
    public string? Description => _options.Description;

    /// <inheritdoc/>
    public bool IsListed => _options.IsListed;

    /// <summary>True: there is one memory, and every connection sees it.</summary>
    public bool CanMultiConn => true;

    /// <inheritdoc/>
    public bool CanFastZero => _punchHole is not null;

    /// <inheritdoc/>
    public ValueTask<NbdError> ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        _slice(offset, destination.Length).CopyTo(destination);
        return ValueTask.FromResult(NbdError.None);
    }

    /// <inheritdoc/>
    public ValueTask<NbdError> WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        source.CopyTo(_slice(offset, source.Length));
        _options.Written?.Invoke(offset, source.Length);
        return ValueTask.FromResult(NbdError.None);
    }

    /// <inheritdoc/>
    public async ValueTask<NbdError> FlushAsync(CancellationToken cancellationToken)
    {
        if (_options.Flush is { } flush)
            await flush(cancellationToken).ConfigureAwait(false);
        return NbdError.None;
    }

    /// <inheritdoc/>
    public ValueTask<NbdError> TrimAsync(long offset, long length, CancellationToken cancellationToken)
    {
        if (_punchHole is not null && TryAlign(offset, length, out var start, out var end))
        {
            _punchHole(start, end - start);
            _options.Written?.Invoke(start, end - start);
        }

        return ValueTask.FromResult(NbdError.None);
    }

    /// <inheritdoc/>
    public ValueTask<NbdError> WriteZeroesAsync(long offset, long length, bool mayPunchHole, CancellationToken cancellationToken)
    {
        if (mayPunchHole && _punchHole is not null && TryAlign(offset, length, out var start, out var end))
        {
            _punchHole(start, end - start);
            Clear(offset, start - offset);
            Clear(end, offset + length - end);
        }
        else if (length > MaxInlineClear)
        {
            return new ValueTask<NbdError>(Task.Run(() => ClearAndReport(offset, length), cancellationToken));
        }
        else
        {
            Clear(offset, length);
        }

        _options.Written?.Invoke(offset, length);
        return ValueTask.FromResult(NbdError.None);
    }

    /// <inheritdoc/>
    public ValueTask<NbdError> GetExtentsAsync(long offset, long length, IList<NbdExtent> extents, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(extents);
        if (_options.BackingFile is { } file)
            SparseFile.AddExtents(file, offset, length, extents);
        else
            extents.Add(new NbdExtent(offset, length, NbdExtentState.Data));
        return ValueTask.FromResult(NbdError.None);
    }

    /// <inheritdoc/>
    public bool TryGetWriteTarget(long offset, int length, out Memory<byte> target)
    {
        target = _slice(offset, length);
        return true;
    }

    /// <inheritdoc/>
    public void WriteCompleted(long offset, int length) => _options.Written?.Invoke(offset, length);

    /// <inheritdoc/>
    public bool TryGetReadSource(long offset, int length, out ReadOnlyMemory<byte> source)
    {
        source = _slice(offset, length);
        return true;
    }

    private static bool TryAlign(long offset, long length, out long start, out long end)
    {
        start = (offset + PageSize - 1) / PageSize * PageSize;
        end = (offset + length) / PageSize * PageSize;
        return start < end;
    }

    private NbdError ClearAndReport(long offset, long length)
    {
        Clear(offset, length);
        _options.Written?.Invoke(offset, length);
        return NbdError.None;
    }

    private void Clear(long offset, long length)
    {
        while (length > 0)
        {
            var part = _slice(offset, (int)Math.Min(length, MaxSlice));
            part.Span.Clear();
            offset += part.Length;
            length -= part.Length;
        }
    }
}
