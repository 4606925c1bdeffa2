using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Network.Interop;

internal sealed class Descriptor : SafeHandleMinusOneIsInvalid
{
    public Descriptor() : base(ownsHandle: true)
    {
    }

    internal int Number => (int)handle;

    protected override bool ReleaseHandle() => NativeMethods.Close(handle) == 0;
}
