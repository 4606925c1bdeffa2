using Architekt.Init.Interop;
using Architekt.Init.Processes;
using Architekt.InitConfiguration;

namespace Architekt.Init.Power;

/// <summary>Ends everything in order and switches the machine off.</summary>
internal static class GuestShutdown
{
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan _killed = TimeSpan.FromSeconds(2);

    /// <summary>Asks the program to end, then all others, then makes those that will not.</summary>
    /// <param name="processes">All processes.</param>
    /// <param name="program">The guest's program; it may have ended already.</param>
    /// <param name="configuration">How it is asked, and how long it may take.</param>
    internal static void EndProcesses(ProcessTable processes, ChildProcess? program, GuestConfiguration configuration)
    {
        if (program is not null)
        {
            processes.Signal(program, configuration.StopSignal);
            if (!program.WaitForExit(TimeSpan.FromMilliseconds(configuration.StopTimeoutMs)))
                GuestConsole.Say($"{configuration.Command[0]} has not ended {configuration.StopTimeoutMs} ms after signal {configuration.StopSignal}");
        }

        ProcessTable.SignalAll(LibC.SignalTerminate);
        if (processes.WaitUntilNoneIsLeft(_grace))
            return;
        ProcessTable.SignalAll(LibC.SignalKill);
        if (!processes.WaitUntilNoneIsLeft(_killed))
            GuestConsole.Say("some processes cannot be ended");
    }

    /// <summary>Does not return.</summary>
    internal static void PowerOff()
    {
        GuestConsole.Say("the guest powers off");
        LibC.Sync();
        _ = LibC.Reboot(LibC.PowerOff);
        GuestConsole.Say($"the machine cannot be switched off: {LibC.LastError()}");
        Thread.Sleep(Timeout.Infinite);
    }
}
