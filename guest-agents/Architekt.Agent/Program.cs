using Architekt.Agent;
using Architekt.Agent.Calls;
using Architekt.Agent.Interop;
using Architekt.AgentProtocol;
using Architekt.GuestPorts;

const string Help = """
    architekt-agent: lets the host tell this guest that it is about to be paused, that it runs again, and who it is.

    Usage: architekt-agent [options]

      --before-suspend COMMAND  run by sh before a pause; a non-zero exit code is a veto and the guest keeps running
      --after-resume COMMAND    run by sh after a pause, when the clock is right again
      --hook-timeout SECONDS    how long a command may take before it is killed (default: 10)
      --clock-threshold MS      leave the clock alone when it is off by less (default: 50)
      --port DEVICE             the port's device, or unix:PATH for a socket (default: the virtio-serial port org.architekt.agent)
      --wait SECONDS            how long to wait for the port to appear (default: 30)
      --help                    this text
      --version                 the protocol version

    The command finds the call's name in ARCHITEKT_CALL. The agent runs until it is ended by a signal.
    Exit codes: 1 the port cannot be used, 2 wrong arguments.
    """;

try
{
    var line = new CommandLine(
        args,
        ["--before-suspend", "--after-resume", "--hook-timeout", "--clock-threshold", "--port", "--wait"],
        ["--help", "--version"]);
    if (line.Has("--help") || line.Has("--version"))
    {
        Console.WriteLine(line.Has("--help") ? Help : AgentLimits.ProtocolVersion);
        return ExitCodes.Success;
    }

    var options = new CallOptions
    {
        BeforeSuspend = line.Text("--before-suspend"),
        AfterResume = line.Text("--after-resume"),
        HookTimeout = TimeSpan.FromSeconds(line.Number("--hook-timeout", 10, 0.1, 3600)),
        ClockThreshold = TimeSpan.FromMilliseconds(line.Number("--clock-threshold", 50, 0, 3_600_000)),
    };
    var wait = TimeSpan.FromSeconds(line.Number("--wait", 30, 0, 3600));
    var path = line.Text("--port") ?? new PortLocator().WaitFor(AgentLimits.AgentPortName, wait);
    var dispatcher = new CallDispatcher(options, new LinuxGuestKernel(), new LinuxGuestIdentity(), TimeProvider.System);
    using var server = new AgentServer(() => GuestPort.Open(path), dispatcher);
    server.Run();
    return ExitCodes.Success;
}
catch (CommandLineException error)
{
    Console.Error.WriteLine($"architekt-agent: {error.Message} See architekt-agent --help.");
    return ExitCodes.Usage;
}
catch (GuestPortException error)
{
    Console.Error.WriteLine($"architekt-agent: {error.Message}");
    return ExitCodes.Failure;
}
