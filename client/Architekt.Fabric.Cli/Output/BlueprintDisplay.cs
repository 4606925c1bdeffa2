using Architekt.Fabric.Blueprints;
using Spectre.Console;

namespace Architekt.Fabric.Cli.Output;

/// <summary>Shows on standard error what the building of a blueprint is at: a bar on a terminal, a line for each phase elsewhere, nothing when only data was asked for.</summary>
internal sealed class BlueprintDisplay(CommandContext context)
{
    private static readonly int _phases = Enum.GetValues<BlueprintPhase>().Length;

    public Task<T> RunAsync<T>(Func<IProgress<BlueprintProgress>?, Task<T>> work)
    {
        if (context.IsJson || context.IsQuiet) return work(null);
        return context.Host.IsErrorTerminal ? ShowBarAsync(work) : work(new Lines(context));
    }

    private Task<T> ShowBarAsync<T>(Func<IProgress<BlueprintProgress>?, Task<T>> work) =>
        Terminals.ForError(context.Host).Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new SpinnerColumn())
            .StartAsync(async progress =>
            {
                var task = progress.AddTask("building", maxValue: _phases);
                return await work(new Direct(status =>
                {
                    task.Value = (int)status.Phase + ((double)status.Done / Math.Max(1, status.Total));
                    task.Description = Text(status);
                })).ConfigureAwait(false);
            });

    private static string Text(BlueprintProgress status) => status.Phase switch
    {
        BlueprintPhase.Inspect => "reading the image",
        BlueprintPhase.Unpack => $"unpacking {status.Total} {(status.Total == 1 ? "layer" : "layers")}",
        BlueprintPhase.Kernel => "getting the kernel",
        BlueprintPhase.Disk => "making the disk",
        _ => "writing the manifest",
    };

    // Progress<T> would hand reports to the thread pool, and the last one might come after the end.
    private sealed class Direct(Action<BlueprintProgress> show) : IProgress<BlueprintProgress>
    {
        public void Report(BlueprintProgress value) => show(value);
    }

    private sealed class Lines(CommandContext context) : IProgress<BlueprintProgress>
    {
        private BlueprintPhase? _shown;

        public void Report(BlueprintProgress value)
        {
            if (value.Phase == _shown) return;
            _shown = value.Phase;
            context.Host.Error.WriteLine(Text(value));
        }
    }
}
