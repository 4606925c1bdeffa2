using System.Runtime.InteropServices;
using Architekt.Fabric.Memory.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Memory;

/// <summary>
/// An open /dev/userfaultfd (Linux 6.1) for a child to inherit. Permission is checked when the device is opened; the userfaultfd that the child then creates
/// from it (USERFAULTFD_IOC_NEW) belongs to the child's own memory. So a privileged peer opens it, and an unprivileged QEMU arms its RAM.
/// </summary>
/// <remarks>
/// How to use it: open, pass <see cref="Descriptor"/> to <see cref="ArmingLibrary.Environment(string, string, int?, bool)"/>, start QEMU, dispose. The descriptor has no
/// close-on-exec flag, so every process started in between inherits it too; start nothing else meanwhile. The number stays valid in the child across launchers
/// such as setpriv, as long as they do not close what they inherit. The arming library closes it in QEMU.
/// </remarks>
public sealed class UserfaultDevice : SafeHandleZeroOrMinusOneIsInvalid
{
    internal const string DevicePath = "/dev/userfaultfd";

    private UserfaultDevice(SafeFileHandle device) : base(ownsHandle: true)
    {
        SetHandle(device.DangerousGetHandle());
        device.SetHandleAsInvalid();
    }

    /// <summary>The descriptor's number, the same in the child.</summary>
    public int Descriptor => (int)handle;

    /// <summary>Opens the device without close-on-exec.</summary>
    /// <exception cref="IOException">The device is not there, or this process may not open it.</exception>
    public static UserfaultDevice OpenInheritable()
    {
        using var device = Libc.Open(DevicePath, Libc.OpenReadWrite, 0);
        return device.IsInvalid
            ? throw new IOException(
                $"Could not open {DevicePath}: {Libc.LastError()}. It needs Linux 6.1 and permission: run as root, or give the peer's group access to the device.",
                Marshal.GetLastPInvokeError())
            : new UserfaultDevice(device);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        new SafeFileHandle(handle, ownsHandle: true).Dispose();
        return true;
    }
}
