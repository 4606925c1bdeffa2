using System.Net;
using System.Net.Sockets;
using Architekt.Fabric.Runner.Machine;
using Architekt.Fabric.Runner.Tests.Support;

namespace Architekt.Fabric.Runner.Tests.Machine;

public sealed class RequiredPortsTests
{
    [Fact]
    public void Check_FreePorts_AreFreeAfterwards()
    {
        var port = Redis.FreePort();
        PortForward[] forwards = [new("tcp", "127.0.0.1", port, 80), new("udp", "127.0.0.1", port, 80)];

        RequiredPorts.Check(forwards, qemuHasNoRights: true);
        RequiredPorts.Check(forwards, qemuHasNoRights: true);
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("udp")]
    public void Check_PortInUse_IsNamed(string protocol)
    {
        using var socket = protocol == "tcp"
            ? new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        if (protocol == "tcp") socket.Listen();
        var port = ((IPEndPoint)socket.LocalEndPoint!).Port;

        var error = Assert.Throws<RunnerException>(() => RequiredPorts.Check([new(protocol, "127.0.0.1", port, 80)], qemuHasNoRights: false));

        Assert.Equal(RunnerErrorCode.Conflict, error.Code);
        Assert.StartsWith($"The {protocol} port {port} of 127.0.0.1 is taken", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_AddressOfAnotherMachine_IsRefused()
    {
        // TEST-NET-1, RFC 5737.
        var error = Assert.Throws<RunnerException>(() => RequiredPorts.Check([new("tcp", "192.0.2.1", 8080, 80)], qemuHasNoRights: false));
        Assert.Equal(RunnerErrorCode.Invalid, error.Code);
    }

    [Fact]
    public void Check_PortForRootOnly_IsRefusedForAQemuWithoutRights()
    {
        if (File.ReadAllText("/proc/sys/net/ipv4/ip_unprivileged_port_start").Trim() == "0") Assert.Skip("On this machine everyone may listen on every port.");

        var error = Assert.Throws<RunnerException>(() => RequiredPorts.Check([new("tcp", "127.0.0.1", 1, 80)], qemuHasNoRights: true));

        Assert.Equal(RunnerErrorCode.Unsupported, error.Code);
        Assert.Contains("for root only", error.Message, StringComparison.Ordinal);
    }
}
