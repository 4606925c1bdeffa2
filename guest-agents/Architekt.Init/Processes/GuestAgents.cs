using Architekt.Init.Network;
using Architekt.InitConfiguration;

namespace Architekt.Init.Processes;

/// <summary>The programs through which the host and this guest talk.</summary>
internal sealed class GuestAgents(ProcessTable processes, GuestConfiguration configuration) : IDisposable
{
    // The port may be missing for good: a machine without it is a good machine, too.
    private static readonly TimeSpan _firstDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _longestDelay = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _longLife = TimeSpan.FromMinutes(1);

    private readonly ManualResetEventSlim _stopping = new();

    internal void Start(string? ready)
    {
        new Thread(KeepAgent) { IsBackground = true }.Start();
        new Thread(() => SayReady(ready)) { IsBackground = true }.Start();
    }

    /// <summary>From now on an agent that ends is not started again.</summary>
    internal void Stop() => _stopping.Set();

    /// <inheritdoc/>
    public void Dispose() => _stopping.Dispose();

    private void KeepAgent()
    {
        List<string> command = [$"{InitramfsLayout.GuestPrograms}/{InitramfsLayout.AgentName}", "--wait", "10"];
        if (configuration.BeforeSuspend is { } before)
            command.AddRange(["--before-suspend", before]);
        if (configuration.AfterResume is { } after)
            command.AddRange(["--after-resume", after]);

        var delay = _firstDelay;
        while (!_stopping.IsSet)
        {
            var started = Environment.TickCount64;
            using (var agent = TryStart(command))
            {
                if (agent is null)
                    return;
                agent.WaitForExit(Timeout.InfiniteTimeSpan);
                if (_stopping.Wait(TimeSpan.Zero))
                    return;
                GuestConsole.Say($"the agent {agent.Status}; it is started again in {delay.TotalSeconds:0} s");
            }

            var livedLong = Environment.TickCount64 - started > (long)_longLife.TotalMilliseconds;
            if (_stopping.Wait(livedLong ? _firstDelay : delay))
                return;
            delay = livedLong ? _firstDelay : delay * 2 < _longestDelay ? delay * 2 : _longestDelay;
        }
    }

    private void SayReady(string? ready)
    {
        if (ready is not null)
        {
            if (!ReadyCheck.TryParse(ready, out var check))
            {
                GuestConsole.Say($"'{ready}' is no check; expected tcp:PORT or tcp:ADDRESS:PORT. This guest is never said to be up");
                return;
            }

            check.Wait();
            GuestConsole.Say($"{ready} answers");
        }

        var path = $"{InitramfsLayout.GuestPrograms}/{InitramfsLayout.LivenessName}";
        using var liveness = TryStart([path]);
        if (liveness is null)
            return;
        liveness.WaitForExit(Timeout.InfiniteTimeSpan);
        // It is said once; its file is the guest's RAM.
        if (liveness.Status.Code == 0)
            File.Delete(path);
    }

    private ChildProcess? TryStart(IReadOnlyList<string> command)
    {
        try
        {
            return processes.Start(new ProgramStart { Command = command });
        }
        catch (InitException error)
        {
            GuestConsole.Say(error.Message);
            return null;
        }
    }
}
