using Spectre.Console;

namespace Architekt.Fabric.Cli.Output;

/// <summary>Shows on standard error where a migration is: a bar on a terminal, lines elsewhere, nothing when only data was asked for.</summary>
internal abstract class MigrationDisplay
{
    public static MigrationDisplay Create(CommandContext context, OperationInfo info)
    {
        if (context.IsJson || context.IsQuiet) return new Silent();
        return context.Host.IsErrorTerminal
            ? new Bar(Terminals.ForError(context.Host), $"{info.Vm} to {info.Destination}")
            : new Lines(context.Host.Error, context.Host.Time);
    }

    public abstract Task<MigrationResult> RunAsync(Func<Action<MigrationProgress>, Task<MigrationResult>> watch);

    private sealed class Silent : MigrationDisplay
    {
        public override Task<MigrationResult> RunAsync(Func<Action<MigrationProgress>, Task<MigrationResult>> watch) => watch(_ => { });
    }

    /// <summary>A line for each phase, each round and each message, and at least one a second while there is news.</summary>
    private sealed class Lines(TextWriter writer, TimeProvider time) : MigrationDisplay
    {
        private static readonly TimeSpan _interval = TimeSpan.FromSeconds(1);
        private (MigrationPhase, int) _shown = (MigrationPhase.Done, -1);
        private long _shownAt;

        public override Task<MigrationResult> RunAsync(Func<Action<MigrationProgress>, Task<MigrationResult>> watch) => watch(Show);

        private void Show(MigrationProgress report)
        {
            var key = (report.Phase, report.Transfer.Rounds);
            if (key == _shown && report.Message is null && time.GetElapsedTime(_shownAt) < _interval) return;
            _shown = key;
            _shownAt = time.GetTimestamp();
            writer.WriteLine(MigrationText.Progress(report));
        }
    }

    private sealed class Bar(IAnsiConsole console, string label) : MigrationDisplay
    {
        public override Task<MigrationResult> RunAsync(Func<Action<MigrationProgress>, Task<MigrationResult>> watch) =>
            console.Progress()
                .AutoClear(true)
                .Columns(new ProgressBarColumn { Width = 24 }, new TaskDescriptionColumn { Alignment = Justify.Left })
                .StartAsync(async progress =>
                {
                    var task = progress.AddTask(Markup.Escape(label)).IsIndeterminate();
                    return await watch(report => Show(task, report)).ConfigureAwait(false);
                });

        private void Show(ProgressTask task, MigrationProgress report)
        {
            var known = report.Transfer.MemoryBytes + report.Transfer.ZeroBytes + report.RemainingBytes;
            task.IsIndeterminate = report.Phase <= MigrationPhase.Prepare && report.PackageBytes == 0;
            task.MaxValue = 1;
            task.Value = report.Phase switch
            {
                MigrationPhase.Prepare when report.PackageBytes > 0 => (double)report.PulledBytes / report.PackageBytes,
                MigrationPhase.Check or MigrationPhase.Prepare or MigrationPhase.RollBack => 0,
                MigrationPhase.Copy => known == 0 ? 0 : 1 - ((double)report.RemainingBytes / known),
                _ => 1,
            };
            task.Description = Markup.Escape($"{label}  {MigrationText.Progress(report)}");
        }
    }
}
