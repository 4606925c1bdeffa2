using System.Runtime.InteropServices;
using Architekt.Fabric.Memory.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Memory;

/// <summary>
/// The RAM of a guest: a sparse file on tmpfs that QEMU (<c>memory-backend-file,share=on</c>) and this process map at the same time.
/// Writes made through this object are not seen by dirty tracking, which watches QEMU's mapping.
/// Members may be used from several threads; nothing may use spans of it after <see cref="Dispose"/>.
/// While a <see cref="LazyFill"/> is at work, its content cannot be had: what has not been brought yet would read as zeros, and be there as zeros from then on.
/// </summary>
public sealed partial class GuestMemory : IDisposable
{
    /// <summary>Bytes of a page, the unit of tracking, of holes and of <see cref="PageRange"/>.</summary>
    public const int PageSize = 4096;

    /// <summary>Most bytes that one <see cref="GetSpan"/> or <see cref="GetMemory"/> can cover: 1 GiB.</summary>
    public const int MaximumWindow = 1 << WindowShift;

    private const int WindowShift = 30;
    private const long TmpfsMagic = 0x01021994; // TMPFS_MAGIC, include/uapi/linux/magic.h

    private readonly SafeFileHandle _file;
    private readonly MappedRegion _region;
    private readonly RegionWindow[] _windows;
    private volatile bool _isFilling;
    private volatile bool _wasFilled;

    private GuestMemory(string path, SafeFileHandle file, long length)
    {
        Path = path;
        Length = length;
        _file = file;
        _region = MappedRegion.Map(file, length, path);
        // A window begins at every GiB and reaches over the next, so every request up to 1 GiB lies in one window and needs no new object.
        _windows = new RegionWindow[(length + MaximumWindow - 1) >> WindowShift];
        for (var i = 0; i < _windows.Length; i++)
        {
            var start = (long)i << WindowShift;
            _windows[i] = new RegionWindow(_region, start, (int)Math.Min(int.MaxValue, length - start));
        }
    }

    /// <summary>Where the file is.</summary>
    public string Path { get; }

    /// <summary>Size of the RAM in bytes.</summary>
    public long Length { get; }

    /// <summary>Bytes of memory the file occupies at the moment; holes occupy none.</summary>
    public unsafe long ResidentBytes
    {
        get
        {
            Statx status;
            return Libc.Statx(_file, "", Libc.AtEmptyPath, Libc.StatxBlocks, &status) == 0
                ? (long)status.Blocks * 512
                : throw Failed("ask for the size of");
        }
    }

    /// <summary>Creates a RAM file that is all hole, readable and writable for its owner only (mode 0600).</summary>
    /// <param name="path">Must not exist yet and must be on tmpfs.</param>
    /// <param name="bytes">Size; a positive multiple of <see cref="PageSize"/>.</param>
    /// <param name="ownerUid">User that QEMU runs as; null leaves the file to the caller. Needs CAP_CHOWN.</param>
    /// <param name="ownerGid">Group that QEMU runs as; null leaves it.</param>
    /// <exception cref="IOException">The file exists, is not on tmpfs, or could not be created, handed over or mapped.</exception>
    public static GuestMemory Create(string path, long bytes, int? ownerUid = null, int? ownerGid = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (bytes <= 0 || bytes % PageSize != 0)
            throw new ArgumentOutOfRangeException(nameof(bytes), bytes, $"Guest RAM needs a positive multiple of {PageSize} bytes.");

        var flags = Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenExclusive | Libc.OpenCloseOnExec | Libc.OpenNoFollow;
        var file = Libc.Open(path, flags, 0x180 /* 0600 */);
        if (file.IsInvalid)
            throw CouldNot("create", path);
        try
        {
            RequireTmpfs(file, path);
            if (Libc.Truncate(file, bytes) != 0)
                throw CouldNot("size", path);
            if ((ownerUid ?? ownerGid) is not null && Libc.ChangeOwner(file, ownerUid ?? -1, ownerGid ?? -1) != 0)
                throw CouldNot("hand over", path);
            return new GuestMemory(path, file, bytes);
        }
        catch
        {
            file.Dispose();
            _ = Libc.Unlink(path);
            throw;
        }
    }

    /// <summary>Opens an existing RAM file for reading and writing.</summary>
    /// <exception cref="IOException">The file could not be opened or mapped, or its size is not a positive multiple of a page.</exception>
    public static GuestMemory Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var file = Libc.Open(path, Libc.OpenReadWrite | Libc.OpenCloseOnExec | Libc.OpenNoFollow, 0);
        if (file.IsInvalid)
            throw CouldNot("open", path);
        try
        {
            var length = RandomAccess.GetLength(file);
            return length > 0 && length % PageSize == 0
                ? new GuestMemory(path, file, length)
                : throw new IOException($"{path} is no guest RAM: its {length} bytes are not a positive multiple of {PageSize}.");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The RAM itself, for reading and writing.</summary>
    /// <param name="offset">0 to <see cref="Length"/>.</param>
    /// <param name="length">Up to <see cref="MaximumWindow"/>.</param>
    /// <exception cref="InvalidOperationException">The RAM is still being filled.</exception>
    public Memory<byte> GetMemory(long offset, int length)
    {
        Check(offset, length);
        return length == 0 ? default : _windows[offset >> WindowShift].Memory.Slice((int)(offset & (MaximumWindow - 1)), length);
    }

    /// <inheritdoc cref="GetMemory"/>
    public Span<byte> GetSpan(long offset, int length)
    {
        Check(offset, length);
        return length == 0 ? default : _windows[offset >> WindowShift].GetSpan().Slice((int)(offset & (MaximumWindow - 1)), length);
    }

    /// <summary>Gives the memory of a range back; it reads as zeros from then on, in QEMU too.</summary>
    /// <param name="offset">A multiple of <see cref="PageSize"/>.</param>
    /// <param name="length">A positive multiple of <see cref="PageSize"/>.</param>
    /// <exception cref="InvalidOperationException">The RAM was filled lazily: the guest would wait for pages that are missing again.</exception>
    public void PunchHole(long offset, long length)
    {
        CheckPages(offset, length);
        if (_wasFilled)
            throw new InvalidOperationException($"No memory of guest RAM {Path} can be given back: it was filled while the guest ran, and the guest would wait for the page. Write zeros instead.");
        if (Libc.Allocate(_file, Libc.FallocatePunchHole | Libc.FallocateKeepSize, offset, length) != 0)
            throw Failed("punch a hole into");
    }

    /// <summary>Unmaps and closes the file; the file itself stays.</summary>
    public void Dispose()
    {
        _region.Dispose();
        _file.Dispose();
    }

    /// <summary>From now on the content cannot be had through this object.</summary>
    internal void BeginFill() => _isFilling = _wasFilled = true;

    /// <summary>All of the content is there.</summary>
    internal void EndFill() => _isFilling = false;

    private void RequireFilled()
    {
        if (_isFilling)
            throw new InvalidOperationException($"Guest RAM {Path} is still being filled and cannot be used yet: wait for LazyFill.CompleteAsync first.");
    }

    private static unsafe void RequireTmpfs(SafeFileHandle file, string path)
    {
        var status = stackalloc long[32]; // struct statfs is at most 120 bytes; f_type comes first
        if (Libc.FileSystemStatus(file, status) != 0)
            throw CouldNot("examine", path);
        if (*status != TmpfsMagic)
            throw new IOException($"{path} is not on tmpfs: guest RAM on a disk would be written back to it all the time. Choose a folder on tmpfs, such as /dev/shm.");
    }

    private void Check(long offset, int length)
    {
        RequireFilled();
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)MaximumWindow, nameof(length));
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
    }

    private void CheckPages(long offset, long length)
    {
        RequireFilled();
        if (offset < 0 || length <= 0 || offset % PageSize != 0 || length % PageSize != 0 || length > Length - offset)
            throw new ArgumentOutOfRangeException(nameof(offset), $"{length} bytes at {offset} are not whole pages within {Length} bytes of guest RAM.");
    }

    private IOException Failed(string action) => CouldNot(action, Path);

    private static IOException CouldNot(string action, string path) =>
        new($"Could not {action} guest RAM {path}: {Libc.LastError()}.", Marshal.GetLastPInvokeError());
}
