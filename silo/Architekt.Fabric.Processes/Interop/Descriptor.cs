using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Processes.Interop;

internal sealed class Descriptor : SafeHandleMinusOneIsInvalid
{
    public Descriptor() : base(ownsHandle: true)
    {
    }

    internal Descriptor(nint value) : base(ownsHandle: true) => SetHandle(value);

    internal int Number => (int)handle;

    protected override bool ReleaseHandle() => NativeMethods.Close(handle) == 0;
}
