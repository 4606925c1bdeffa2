using System.Runtime.InteropServices;
using Architekt.Fabric.Network.Interop;
using Architekt.Fabric.Network.Tests.Interop;

namespace Architekt.Fabric.Network.Tests.Hosts;

/// <summary>Sends whole Ethernet frames through an interface of the namespace in which it is created.</summary>
internal sealed class RawSender : IDisposable
{
    private readonly Descriptor _socket = PacketSocket.Open();

    internal RawSender(string interfaceName)
    {
        using var control = new InterfaceControl();
        PacketSocket.Bind(_socket, control.IndexOf(interfaceName), 0, interfaceName);
    }

    internal unsafe void Send(ReadOnlySpan<byte> frame)
    {
        fixed (byte* start = frame)
        {
            if (TestNativeMethods.Write(_socket.Number, start, (nuint)frame.Length) != frame.Length)
                throw new InvalidOperationException($"write to packet socket: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    public void Dispose() => _socket.Dispose();
}
