using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Architekt.Fabric.Runner.Machine;

/// <summary>Looks whether ports can be listened on, to say so before QEMU does in its way.</summary>
internal static class RequiredPorts
{
    private const string FirstFreeFile = "/proc/sys/net/ipv4/ip_unprivileged_port_start";

    public static void Check(IReadOnlyList<PortForward> forwards, bool qemuHasNoRights)
    {
        foreach (var forward in forwards)
        {
            if (qemuHasNoRights && forward.HostPort < FirstFree())
                throw Refuse(RunnerErrorCode.Unsupported, forward, $"is for root only, and QEMU runs without root's rights: take one from {FirstFree()} on");
            try
            {
                using var socket = forward.Protocol == "udp"
                    ? new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
                    : new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Parse(forward.HostAddress), forward.HostPort));
                if (forward.Protocol == "tcp") socket.Listen();
            }
            catch (SocketException error)
            {
                throw error.SocketErrorCode switch
                {
                    SocketError.AddressAlreadyInUse => Refuse(RunnerErrorCode.Conflict, forward, "is taken by another program: choose another one"),
                    SocketError.AccessDenied => Refuse(RunnerErrorCode.Unsupported, forward, $"is for root only: take one from {FirstFree()} on"),
                    SocketError.AddressNotAvailable => Refuse(RunnerErrorCode.Invalid, forward, "cannot be had, because this machine does not have that address"),
                    _ => Refuse(RunnerErrorCode.Failed, forward, $"cannot be had: {error.Message}"),
                };
            }
        }
    }

    private static int FirstFree() =>
        File.Exists(FirstFreeFile) && int.TryParse(File.ReadAllText(FirstFreeFile), NumberStyles.Integer, CultureInfo.InvariantCulture, out var first) ? first : 1024;

    private static RunnerException Refuse(RunnerErrorCode code, PortForward forward, string why) =>
        new(code, $"The {forward.Protocol} port {forward.HostPort} of {forward.HostAddress} {why} (-p {forward}).");
}
