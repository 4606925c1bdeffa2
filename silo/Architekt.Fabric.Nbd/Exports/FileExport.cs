using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Nbd;

/// <summary>Export of a regular file. Knows holes: it reports, punches and keeps them.</summary>
public sealed class FileExport : INbdExport, IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly FileExportOptions _options;
    private readonly bool _ownsFile;
    private readonly bool _canPunch;
    private readonly FileOperationPool _operations;

    /// <summary>Exports an open file, which stays the caller's. Its length is the export's size.</summary>
    public FileExport(string name, SafeFileHandle file, FileExportOptions? options = null)
        : this(name, file, options, ownsFile: false)
    {
    }

    private FileExport(string name, SafeFileHandle file, FileExportOptions? options, bool ownsFile)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(file);
        Name = name;
        Size = RandomAccess.GetLength(file);
        _file = file;
        _options = options ?? new FileExportOptions();
        _ownsFile = ownsFile;
        _canPunch = !_options.IsReadOnly && SparseFile.CanPunch(file, Size);
        _operations = new FileOperationPool(file, _canPunch);
    }

    /// <summary>Opens and exports the file at <paramref name="path"/>; <see cref="Dispose"/> closes it.</summary>
    public static FileExport Open(string name, string path, FileExportOptions? options = null)
    {
        var access = options is { IsReadOnly: true } ? FileAccess.Read : FileAccess.ReadWrite;
        return new FileExport(name, File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete), options, ownsFile: true);
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

    /// <summary>True: every connection uses the same open file, and fsync(2) covers all of it.</summary>
    public bool CanMultiConn => true;

    /// <inheritdoc/>
    public bool CanFastZero => _canPunch;

    /// <inheritdoc/>
    public ValueTask<NbdError> ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        _operations.Run(FileOperationKind.Read, offset, destination.Length, destination);

    /// <inheritdoc/>
    public ValueTask<NbdError> WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken) =>
        _operations.Run(FileOperationKind.Write, offset, source.Length, source: source);

    /// <inheritdoc/>
    public ValueTask<NbdError> FlushAsync(CancellationToken cancellationToken) =>
        IsReadOnly ? ValueTask.FromResult(NbdError.None) : _operations.Run(FileOperationKind.Flush, 0, 0);

    /// <inheritdoc/>
    public ValueTask<NbdError> TrimAsync(long offset, long length, CancellationToken cancellationToken) =>
        _canPunch ? _operations.Run(FileOperationKind.Trim, offset, length) : ValueTask.FromResult(NbdError.None);

    /// <inheritdoc/>
    public ValueTask<NbdError> WriteZeroesAsync(long offset, long length, bool mayPunchHole, CancellationToken cancellationToken) =>
        _operations.Run(mayPunchHole ? FileOperationKind.ZeroMayPunch : FileOperationKind.ZeroAllocated, offset, length);

    /// <inheritdoc/>
    public ValueTask<NbdError> GetExtentsAsync(long offset, long length, IList<NbdExtent> extents, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(extents);
        SparseFile.AddExtents(_file, offset, length, extents);
        return ValueTask.FromResult(NbdError.None);
    }

    /// <inheritdoc/>
    public ValueTask<NbdError> CacheAsync(long offset, long length, CancellationToken cancellationToken)
    {
        // A hint: whether the kernel takes it makes no difference to the client.
        _ = LibC.Advise(_file, offset, length, LibC.AdviseWillNeed);
        return ValueTask.FromResult(NbdError.None);
    }

    /// <summary>Closes the file if <see cref="Open"/> opened it. Remove the export from its server first.</summary>
    public void Dispose()
    {
        if (_ownsFile)
            _file.Dispose();
    }
}
