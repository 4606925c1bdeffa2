using Architekt.Fabric.Cli.Parsing;
using Spectre.Console;

namespace Architekt.Fabric.Cli.Output;

/// <summary>Shows on standard error how far something long is: a bar on a terminal, lines elsewhere, nothing when only data was asked for.</summary>
/// <param name="context">The command.</param>
/// <param name="label">What is being done, such as <c>importing redis on host-a</c>.</param>
internal sealed class ByteProgressDisplay(CommandContext context, string label)
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(1);

    public Task<T> RunAsync<T>(Func<IProgress<ByteProgress>?, Task<T>> work)
    {
        if (context.IsJson || context.IsQuiet) return work(null);
        return context.Host.IsErrorTerminal ? ShowBarAsync(work) : work(new Lines(context, label));
    }

    private Task<T> ShowBarAsync<T>(Func<IProgress<ByteProgress>?, Task<T>> work) =>
        Terminals.ForError(context.Host).Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn())
            .StartAsync(async progress =>
            {
                var task = progress.AddTask(Markup.Escape(label)).IsIndeterminate();
                return await work(new Direct(status =>
                {
                    if (status.Total <= 0) return;
                    task.IsIndeterminate = false;
                    task.MaxValue = status.Total;
                    task.Value = status.Done;
                    task.Description = Markup.Escape(Text(label, status));
                })).ConfigureAwait(false);
            });

    private static string Text(string label, ByteProgress status) => $"{label}, {ByteSize.Format(status.Done)} of {ByteSize.Format(status.Total)}";

    // Progress<T> would hand reports to the thread pool, and the last one might come after the end.
    private sealed class Direct(Action<ByteProgress> show) : IProgress<ByteProgress>
    {
        public void Report(ByteProgress value) => show(value);
    }

    /// <summary>At most a line a second, and none for what is over within the first.</summary>
    private sealed class Lines(CommandContext context, string label) : IProgress<ByteProgress>
    {
        private readonly Lock _lock = new();
        private long _shownAt = context.Host.Time.GetTimestamp();
        private long _shown;

        public void Report(ByteProgress value)
        {
            lock (_lock)
            {
                if (value.Total <= 0 || value.Done == _shown || context.Host.Time.GetElapsedTime(_shownAt) < _interval) return;
                (_shown, _shownAt) = (value.Done, context.Host.Time.GetTimestamp());
                context.Host.Error.WriteLine(Text(label, value));
            }
        }
    }
}
