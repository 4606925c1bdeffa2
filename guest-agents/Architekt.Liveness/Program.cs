using System.Text.Json;
using Architekt.AgentProtocol;
using Architekt.GuestPorts;

const string Help = """
    architekt-liveness: tells the host, once, that this guest is up. Start it when the guest's services answer.

    Usage: architekt-liveness [--port DEVICE] [--wait SECONDS]

      --port DEVICE   the port's device, or unix:PATH for a socket (default: the virtio-serial port org.architekt.liveness)
      --wait SECONDS  how long to wait for the port to appear (default: 30)
      --help          this text
      --version       the protocol version

    It ends when a host has taken the message. Exit codes: 0 said, 1 the port cannot be used, 2 wrong arguments.
    """;

try
{
    var line = new CommandLine(args, ["--port", "--wait"], ["--help", "--version"]);
    if (line.Has("--help") || line.Has("--version"))
    {
        Console.WriteLine(line.Has("--help") ? Help : AgentLimits.ProtocolVersion);
        return ExitCodes.Success;
    }

    var wait = TimeSpan.FromSeconds(line.Number("--wait", 30, 0, 3600));
    var path = line.Text("--port") ?? new PortLocator().WaitFor(AgentLimits.LivenessPortName, wait);
    using var port = GuestPort.Open(path);
    // TickCount64 counts from the start of the kernel (CLOCK_MONOTONIC).
    var message = new LivenessMessage(true, AgentLimits.ProtocolVersion, Environment.TickCount64);
    byte[] bytes = [.. JsonSerializer.SerializeToUtf8Bytes(message, AgentJsonContext.Default.LivenessMessage), (byte)'\n'];
    if (port.Write(bytes))
        return ExitCodes.Success;
    Console.Error.WriteLine($"architekt-liveness: the port {path} was closed before the message was taken.");
    return ExitCodes.Failure;
}
catch (CommandLineException error)
{
    Console.Error.WriteLine($"architekt-liveness: {error.Message} See architekt-liveness --help.");
    return ExitCodes.Usage;
}
catch (GuestPortException error)
{
    Console.Error.WriteLine($"architekt-liveness: {error.Message}");
    return ExitCodes.Failure;
}
