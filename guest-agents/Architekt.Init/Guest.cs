using System.Runtime.InteropServices;
using System.Text.Json;
using Architekt.Init.Boot;
using Architekt.Init.Interop;
using Architekt.Init.Network;
using Architekt.Init.Power;
using Architekt.Init.Processes;
using Architekt.InitConfiguration;

namespace Architekt.Init;

/// <summary>A guest from its first process's start to its power-off.</summary>
internal sealed class Guest : IDisposable
{
    private const string Console = "/dev/console";

    private readonly ProcessTable _processes = new();
    private readonly ManualResetEventSlim _stop = new();

    /// <summary>Does not return: when this process ends, the kernel panics.</summary>
    internal static void Run()
    {
        try
        {
            using var guest = new Guest();
            guest.RunToShutdown();
        }
        catch (Exception error)
        {
            GuestConsole.Say($"the guest cannot start: {error.Message}");
        }

        // Also without a root: there is nothing to wait for, and the end of the machine is what the host can see.
        GuestShutdown.PowerOff();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _processes.Dispose();
        _stop.Dispose();
    }

    private void RunToShutdown()
    {
        Mounts.MountKernelFolders();
        var commandLine = KernelCommandLine.Read();
        var configuration = ReadConfiguration();
        KernelModules.Load(configuration.Modules);
        RootDisk.Enter(commandLine.Value("root") ?? configuration.RootDevice);
        OpenConsole(configuration.UserId);
        SystemSettings.Apply(configuration, commandLine);
        GuestNetwork.Configure(commandLine);

        // From here on the host can end the guest in order.
        _ = LibC.Reboot(LibC.CtrlAltDelIsSignal);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        PowerButton.Watch(_stop.Set);

        _processes.StartReaping();
        using var program = _processes.Start(new ProgramStart
        {
            Command = configuration.Command,
            Environment = configuration.Environment,
            WorkingDirectory = configuration.WorkingDirectory,
            UserId = configuration.UserId,
            GroupId = configuration.GroupId,
            SupplementaryGroups = configuration.SupplementaryGroups,
        });
        using var agents = new GuestAgents(_processes, configuration);
        agents.Start(commandLine.Value("ready") ?? configuration.Ready);
        new Thread(() => StopAfter(program)) { IsBackground = true }.Start();

        _stop.Wait();
        agents.Stop();
        GuestShutdown.EndProcesses(_processes, program, configuration);
        GuestConsole.Say($"{configuration.Command[0]} {program.Status}");
        RootDisk.Leave();
    }

    private static GuestConfiguration ReadConfiguration()
    {
        try
        {
            return GuestConfiguration.Parse(File.ReadAllBytes(InitramfsLayout.Configuration));
        }
        catch (Exception error) when (error is IOException or JsonException)
        {
            throw new InitException($"{InitramfsLayout.Configuration} cannot be read: {error.Message}");
        }
    }

    /// <summary>Takes the new root's console, so that programs can also open it by its name, and gives it to the one that runs as somebody else.</summary>
    private static void OpenConsole(uint user)
    {
        using var nothing = LibC.Open("/dev/null", LibC.OpenReadWrite | LibC.OpenCloseOnExec, 0);
        using var console = LibC.Open(Console, LibC.OpenReadWrite | LibC.OpenNoTerminal | LibC.OpenCloseOnExec, 0);
        if (nothing.IsInvalid || console.IsInvalid)
            return;
        _ = LibC.Duplicate(nothing, 0);
        _ = LibC.Duplicate(console, 1);
        _ = LibC.Duplicate(console, 2);
        if (user != 0)
            _ = LibC.ChangeOwner(Console, user, uint.MaxValue);
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        _stop.Set();
    }

    private void StopAfter(ChildProcess program)
    {
        program.WaitForExit(Timeout.InfiniteTimeSpan);
        _stop.Set();
    }
}
