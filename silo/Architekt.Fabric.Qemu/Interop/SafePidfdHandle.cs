using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Qemu;

internal sealed class SafePidfdHandle : SafeHandleMinusOneIsInvalid
{
    public SafePidfdHandle(int descriptor)
        : base(ownsHandle: true) => SetHandle(descriptor);

    protected override bool ReleaseHandle() => Libc.Close((int)handle) == 0;
}
