using Architekt.Fabric.Cli.Output;
using Architekt.Fabric.Cli.Parsing;
using Architekt.Fabric.Qemu;
using Architekt.Fabric.Runner;

namespace Architekt.Fabric.Cli.Commands;

/// <summary>One machine from its start to its end.</summary>
internal sealed class RunSession(CommandContext context, RunnerOptions options, bool hasConsole)
{
    public async Task<ExitCode> RunAsync()
    {
        await using var machine = await StartAsync().ConfigureAwait(false);
        context.Note(StartText(machine));
        foreach (var forward in machine.Forwards) context.Note($"{forward.HostAddress}:{forward.HostPort} ({forward.Protocol}) leads to port {forward.GuestPort} of the guest.");
        using var ending = new CancellationTokenSource();
        var attached = hasConsole ? AttachAsync(machine, ending.Token) : NoteLiveAsync(machine, ending.Token);
        var suspension = await RunToItsEndAsync(machine).ConfigureAwait(false);
        await ending.CancelAsync().ConfigureAwait(false);
        await attached.ConfigureAwait(false);
        return Report(machine, await machine.Ended.ConfigureAwait(false), suspension);
    }

    private Task<RunningMachine> StartAsync() =>
        new ByteProgressDisplay(context, $"starting {Path.GetFileName(Path.TrimEndingDirectorySeparator(options.Package))}").RunAsync(
            display => MachineRunner.StartAsync(options, PackageFileCommands.Relay(display), TimeProvider.System, context.Token));

    /// <summary>Until the guest shuts down or Ctrl-C; a guest that does not want to be suspended goes on.</summary>
    private async Task<RunSuspension?> RunToItsEndAsync(RunningMachine machine)
    {
        await ((Task)machine.Ended).WaitAsync(context.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (machine.Ended.IsCompleted) return null;
        if (options.Remove)
        {
            await machine.EndAsync().ConfigureAwait(false);
            return null;
        }

        context.Note($"Suspending '{machine.Name}'; another Ctrl-C ends it at once, and what it has done since it began to run is lost.");
        try
        {
            return await machine.SuspendAsync().ConfigureAwait(false);
        }
        catch (RunnerException error) when (!machine.Ended.IsCompleted)
        {
            ErrorReport.Write(context.Host, context.IsJson, RunnerErrors.ToFabric(error));
            context.Note($"'{machine.Name}' goes on; another Ctrl-C ends it at once.");
            await ((Task)machine.Ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return null;
        }
    }

    private ExitCode Report(RunningMachine machine, RunEnd end, RunSuspension? suspension)
    {
        if (end.Kind == RunEndKind.Crashed) throw new FabricException(FabricErrorCode.Failed, $"The machine '{machine.Name}' failed: {end.Reason}");
        if (context.IsJson)
        {
            context.Json.WriteObject(new RunReport(
                machine.Name, machine.Package, machine.Start, machine.StartTime.TotalMilliseconds, machine.Forwards, end.Kind, end.Reason, suspension));
        }
        else if (context.IsQuiet)
        {
            context.Host.Out.WriteLine(machine.Name);
        }

        context.Note(end.Kind switch
        {
            RunEndKind.Suspended when suspension is not null =>
                $"'{machine.Name}' is suspended, after {Duration.Format(suspension.Milliseconds)}: {ByteSize.Format(suspension.MemoryBytes)} of RAM, "
                + $"{ByteSize.Format(suspension.DiskBytes)} of disk. Run it again to go on.",
            RunEndKind.ShutDown when options.Remove => $"'{machine.Name}' has shut down, and nothing of it is kept.",
            RunEndKind.ShutDown => $"'{machine.Name}' has shut down. Run it again to boot it from its disk, or with --fresh to start over.",
            _ => $"'{machine.Name}' has ended{(options.Remove ? ", and nothing of it is kept" : "")}.",
        });
        return ExitCode.Ok;
    }

    private string StartText(RunningMachine machine)
    {
        var how = machine.Start switch
        {
            RunStart.Resumed => "resumed from its package",
            RunStart.Continued => "goes on where it was suspended",
            RunStart.BootedAgain => "boots from the disk it had when it shut down",
            _ => "boots",
        };
        return $"'{machine.Name}' {how}: it runs after {Duration.Format(machine.StartTime.TotalMilliseconds)}, with {ByteSize.Format(machine.MemoryBytes)} of RAM. Ctrl-C {(options.Remove ? "ends" : "suspends")} it.";
    }

    private async Task NoteLiveAsync(RunningMachine machine, CancellationToken cancellationToken)
    {
        if (machine.Start is RunStart.Resumed or RunStart.Continued) return;
        try
        {
            if (await machine.WaitUntilLiveAsync(cancellationToken).ConfigureAwait(false)) context.Note($"'{machine.Name}' is up.");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // It ended, or was ended, before.
        }
    }

    /// <summary>What is typed goes to the console's socket; what is printed comes from its log, which has also what was printed before anybody was attached.</summary>
    private async Task AttachAsync(RunningMachine machine, CancellationToken cancellationToken)
    {
        using var raw = context.Host.EnterRawMode();
        if (raw is not null) context.Note("Attached to its console. Ctrl-] leaves the console; then Ctrl-C suspends the machine.\r");
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var printing = PrintAsync(machine, leaving.Token);
        try
        {
            var reason = await SerialConsole.AttachAsync(
                machine.ConsoleSocketPath, context.Host.InStream, Stream.Null, raw is null ? null : SerialConsole.EscapeKey, cancellationToken).ConfigureAwait(false);
            await leaving.CancelAsync().ConfigureAwait(false);
            await printing.ConfigureAwait(false);
            if (raw is null) return;
            raw.Dispose();
            if (reason == ConsoleDetachReason.Escaped) context.Note("\nLeft the console. Ctrl-C suspends the machine.");
        }
        catch (IOException) when (machine.Ended.IsCompleted)
        {
            // It ended before anybody could attach.
            await leaving.CancelAsync().ConfigureAwait(false);
            await printing.ConfigureAwait(false);
        }
    }

    private async Task PrintAsync(RunningMachine machine, CancellationToken cancellationToken)
    {
        var offset = 0L;
        try
        {
            await foreach (var piece in ConsoleLog.FollowAsync(machine.ConsoleLogPath, offset, TimeProvider.System, cancellationToken).ConfigureAwait(false))
            {
                Print(piece);
                offset += piece.Length;
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // What was printed last is there by now.
            await using var log = new FileStream(machine.ConsoleLogPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            log.Position = Math.Min(offset, log.Length);
            using var rest = new MemoryStream();
            await log.CopyToAsync(rest, CancellationToken.None).ConfigureAwait(false);
            Print(rest.ToArray());
        }
    }

    private void Print(ReadOnlyMemory<byte> piece)
    {
        context.Host.OutStream.Write(piece.Span);
        context.Host.OutStream.Flush();
    }
}
