namespace Architekt.Fabric.Processes;

/// <summary>Signals by their Linux numbers (signal(7), x86 and Arm).</summary>
public enum ProcessSignal
{
    /// <summary>No signal: only checks that the process may be signalled.</summary>
    None = 0,

    /// <summary>SIGHUP.</summary>
    Hangup = 1,

    /// <summary>SIGINT.</summary>
    Interrupt = 2,

    /// <summary>SIGQUIT.</summary>
    Quit = 3,

    /// <summary>SIGKILL: cannot be caught.</summary>
    Kill = 9,

    /// <summary>SIGUSR1.</summary>
    User1 = 10,

    /// <summary>SIGTERM: please end.</summary>
    Terminate = 15,

    /// <summary>SIGCONT.</summary>
    Continue = 18,

    /// <summary>SIGSTOP: cannot be caught.</summary>
    Stop = 19,
}
