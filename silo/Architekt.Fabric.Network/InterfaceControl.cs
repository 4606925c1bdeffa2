using System.Runtime.InteropServices;
using Architekt.Fabric.Network.Interop;

namespace Architekt.Fabric.Network;

/// <summary>Interface settings by plain ioctls (netdevice(7)): microseconds, where starting `ip` takes milliseconds.</summary>
/// <remarks>The socket belongs to the network namespace of the thread that created it, whichever thread uses it later.</remarks>
internal sealed class InterfaceControl : IDisposable
{
    private readonly Descriptor _socket;

    internal InterfaceControl()
    {
        _socket = NativeMethods.Socket(NativeMethods.AddressFamilyInternet, NativeMethods.SocketDatagram | NativeMethods.SocketCloseOnExec, 0);
        if (_socket.IsInvalid)
            throw NetworkException.FromLastError("A socket for network settings cannot be opened");
    }

    public void Dispose() => _socket.Dispose();

    internal int IndexOf(string name) => Ask(name, NativeMethods.GetInterfaceIndex, "cannot be found").Number;

    internal int MtuOf(string name) => Ask(name, NativeMethods.GetInterfaceMtu, "does not tell its MTU").Number;

    internal void SetMtu(string name, int mtu)
    {
        var request = InterfaceRequest.For(name);
        request.Number = mtu;
        Tell(name, NativeMethods.SetInterfaceMtu, ref request, $"cannot get MTU {mtu}");
    }

    internal bool IsUp(string name) => (Ask(name, NativeMethods.GetInterfaceFlags, "does not tell its state").Flags & NativeMethods.InterfaceUp) != 0;

    internal void SetUp(string name, bool up)
    {
        var request = Ask(name, NativeMethods.GetInterfaceFlags, "does not tell its state");
        request.Flags = (short)(up ? request.Flags | NativeMethods.InterfaceUp : request.Flags & ~NativeMethods.InterfaceUp);
        Tell(name, NativeMethods.SetInterfaceFlags, ref request, up ? "cannot be brought up" : "cannot be taken down");
    }

    internal void SetHardwareAddress(string name, MacAddress address)
    {
        var request = InterfaceRequest.For(name);
        request.SetHardwareAddress(address);
        Tell(name, NativeMethods.SetHardwareAddress, ref request, $"cannot get the address {address}");
    }

    internal MacAddress HardwareAddressOf(string name) => Ask(name, NativeMethods.GetHardwareAddress, "does not tell its address").GetHardwareAddress();

    internal void AddToBridge(string bridge, string port)
    {
        var request = InterfaceRequest.For(bridge);
        request.Number = IndexOf(port);
        Tell(bridge, NativeMethods.BridgeAddInterface, ref request, $"cannot take '{port}' as a port (is it a bridge, and '{port}' in no other?)");
    }

    /// <summary>False when the interface is no port of this bridge.</summary>
    internal bool RemoveFromBridge(string bridge, string port)
    {
        var request = InterfaceRequest.For(bridge);
        request.Number = IndexOf(port);
        if (NativeMethods.Ioctl(_socket, NativeMethods.BridgeRemoveInterface, ref request) == 0)
            return true;
        return Marshal.GetLastPInvokeError() is NativeMethods.Invalid or NativeMethods.NoDevice
            ? false
            : throw NetworkException.FromLastError($"Bridge '{bridge}' cannot give up its port '{port}'");
    }

    private InterfaceRequest Ask(string name, nuint question, string failure)
    {
        var request = InterfaceRequest.For(name);
        Tell(name, question, ref request, failure);
        return request;
    }

    private void Tell(string name, nuint what, ref InterfaceRequest request, string failure)
    {
        if (NativeMethods.Ioctl(_socket, what, ref request) != 0)
            throw NetworkException.FromLastError($"Interface '{name}' {failure}");
    }
}
