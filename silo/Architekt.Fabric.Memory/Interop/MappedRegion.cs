using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Memory.Interop;

/// <summary>A shared mapping of a whole file. Reference-counted, so that pinned memory keeps it mapped after disposal.</summary>
internal sealed class MappedRegion : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly nuint _length;

    private MappedRegion(nint address, long length) : base(ownsHandle: true)
    {
        _length = (nuint)length;
        SetHandle(address);
    }

    public static MappedRegion Map(SafeFileHandle file, long length, string path)
    {
        var address = Libc.Map(0, (nuint)length, Libc.ProtectRead | Libc.ProtectWrite, Libc.MapShared, file, 0);
        return address == -1
            ? throw new IOException($"Could not map {length} bytes of {path}: {Libc.LastError()}. Check the limit on address space (ulimit -v).")
            : new MappedRegion(address, length);
    }

    protected override bool ReleaseHandle() => Libc.Unmap(handle, _length) == 0;
}
