using System.Runtime.InteropServices;
using Architekt.Fabric.Network.Interop;

namespace Architekt.Fabric.Network;

/// <summary>A TAP interface: its other end is a descriptor, which QEMU gets by inheritance (`-netdev tap,fd=N,vnet_hdr=on`).</summary>
/// <remarks>
/// Every frame through the descriptor has a virtio_net_hdr in front (IFF_VNET_HDR), so checksum and segmentation off-load reach the guest.
/// Unless persistent, the interface vanishes when the last descriptor is closed, also by SIGKILL. Belongs to the network namespace of
/// the thread that opened it. Settings are plain ioctls, fit for the pause of a migration. Not thread safe.
/// </remarks>
public sealed class TapDevice : IDisposable
{
    private const string ControlDevice = "/dev/net/tun";

    private readonly Descriptor _descriptor;
    private readonly InterfaceControl _control;
    private string? _bridge;

    private TapDevice(string name, Descriptor descriptor, InterfaceControl control)
    {
        Name = name;
        _descriptor = descriptor;
        _control = control;
    }

    /// <summary>Name of the interface.</summary>
    public string Name { get; }

    /// <summary>Maximum size of an IP packet in bytes.</summary>
    public int Mtu => _control.MtuOf(Name);

    /// <summary>True when the interface is administratively up.</summary>
    public bool IsUp => _control.IsUp(Name);

    /// <summary>The descriptor's number after close-on-exec has been cleared: from now on every child inherits it under this number.</summary>
    /// <remarks>Call <see cref="StopInheriting"/> as soon as QEMU has been started; any other child would keep the interface alive.</remarks>
    public int InheritableDescriptor
    {
        get
        {
            SetCloseOnExec(false);
            return _descriptor.Number;
        }
    }

    internal Descriptor Handle => _descriptor;

    /// <summary>Opens a TAP, creating it when there is none of this name. It is down and in no bridge.</summary>
    /// <param name="name">At most 15 characters; see <see cref="TapName.For"/>.</param>
    /// <param name="persistent">Keep the interface when the last descriptor is closed.</param>
    /// <exception cref="NetworkException">/dev/net/tun is missing, the rights are, or another process holds the TAP.</exception>
    public static TapDevice Open(string name, bool persistent = false)
    {
        var request = InterfaceRequest.For(name);
        var descriptor = NativeMethods.Open(ControlDevice, NativeMethods.OpenReadWriteCloseOnExec, 0);
        InterfaceControl? control = null;
        try
        {
            if (descriptor.IsInvalid)
                throw NetworkException.FromLastError($"{ControlDevice} cannot be opened (load the module `tun`, run with CAP_NET_ADMIN)");

            request.Flags = NativeMethods.TunTap | NativeMethods.TunNoPacketInformation | NativeMethods.TunVirtioHeader;
            if (NativeMethods.Ioctl(descriptor, NativeMethods.TunSetInterface, ref request) != 0)
                throw OpenFailed(name);
            if (NativeMethods.Ioctl(descriptor, NativeMethods.TunSetPersistent, persistent ? 1 : 0) != 0)
                throw NetworkException.FromLastError($"TAP '{name}' cannot be made {(persistent ? "persistent" : "transient")}");

            control = new InterfaceControl();
            control.SetHardwareAddress(name, MacAddress.ForTap(name));
            KeepHostOut(name);
            return new TapDevice(name, descriptor, control);
        }
        catch
        {
            control?.Dispose();
            descriptor.Dispose();
            throw;
        }
    }

    /// <summary>Clears the effect of <see cref="InheritableDescriptor"/>.</summary>
    public void StopInheriting() => SetCloseOnExec(true);

    /// <summary>Makes the TAP a port of a bridge, with the bridge's MTU. Does nothing when it is one already through this object.</summary>
    public void AttachToBridge(string bridgeName)
    {
        if (_bridge == bridgeName)
            return;

        Detach();
        // First the MTU: a bridge lowers its own to the smallest of its ports.
        var mtu = _control.MtuOf(bridgeName);
        if (_control.MtuOf(Name) != mtu)
            _control.SetMtu(Name, mtu);
        _control.AddToBridge(bridgeName, Name);
        _bridge = bridgeName;
    }

    /// <summary>Takes the TAP out of the bridge it was attached to; the bridge forgets at once what it had learned behind it.</summary>
    public void Detach()
    {
        if (_bridge is null)
            return;

        _control.RemoveFromBridge(_bridge, Name);
        _bridge = null;
    }

    /// <summary>Brings the interface up or takes it down.</summary>
    public void SetUp(bool up) => _control.SetUp(Name, up);

    /// <summary>Closes the descriptor. The interface vanishes unless it is persistent or a child has inherited it.</summary>
    public void Dispose()
    {
        _descriptor.Dispose();
        _control.Dispose();
    }

    /// <summary>Sends a frame as if the guest had: see <see cref="GratuitousAnnounce.SendThroughTap"/>.</summary>
    internal unsafe void Inject(ReadOnlySpan<byte> frame)
    {
        // QEMU sets the size for all descriptors of the interface (12 instead of 10 for modern virtio), so it is asked every time.
        if (NativeMethods.Ioctl(_descriptor, NativeMethods.TunGetHeaderSize, out int headerSize) != 0)
            throw NetworkException.FromLastError($"TAP '{Name}' does not tell the size of its frame header");

        Span<byte> bytes = new byte[headerSize + frame.Length];
        frame.CopyTo(bytes[headerSize..]);
        fixed (byte* start = bytes)
        {
            if (NativeMethods.Write(_descriptor, start, (nuint)bytes.Length) != bytes.Length)
                throw NetworkException.FromLastError($"A frame of {frame.Length} bytes cannot be sent through TAP '{Name}' (is it up?)");
        }
    }

    // The host's own IPv6 would send router solicitations and reports into the guest, and would listen to it.
    private static void KeepHostOut(string name)
    {
        try
        {
            File.WriteAllText($"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "1");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A kernel without IPv6, or a container with read-only settings: a few frames more, nothing worse.
        }
    }

    private static NetworkException OpenFailed(string name)
    {
        var why = Marshal.GetLastPInvokeError() switch
        {
            NativeMethods.Busy => " because another process holds it",
            NativeMethods.Invalid => " because an interface of another kind has this name",
            _ => "",
        };
        return NetworkException.FromLastError($"TAP '{name}' cannot be opened{why}");
    }

    private void SetCloseOnExec(bool on)
    {
        var flags = NativeMethods.Control(_descriptor, NativeMethods.FcntlGetFlags, 0);
        var wanted = on ? flags | NativeMethods.CloseOnExec : flags & ~NativeMethods.CloseOnExec;
        if (flags < 0 || (wanted != flags && NativeMethods.Control(_descriptor, NativeMethods.FcntlSetFlags, wanted) < 0))
            throw NetworkException.FromLastError($"The descriptor of TAP '{Name}' cannot be prepared for inheritance");
    }
}
