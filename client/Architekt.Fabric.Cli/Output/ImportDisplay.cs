using Architekt.Fabric.Cli.Parsing;
using Spectre.Console;

namespace Architekt.Fabric.Cli.Output;

/// <summary>Shows on standard error how far an import is: a bar on a terminal, nothing elsewhere.</summary>
internal sealed class ImportDisplay
{
    private readonly CommandContext _context;
    private readonly string _label;

    private ImportDisplay(CommandContext context, string label)
    {
        _context = context;
        _label = label;
    }

    public static ImportDisplay Create(CommandContext context, string package, string host) => new(context, $"importing {package} on {host}");

    public async Task<PackageInfo> RunAsync(Func<IProgress<PackageImport>?, Task<PackageInfo>> import)
    {
        if (_context.IsJson || _context.IsQuiet || !_context.Host.IsErrorTerminal) return await import(null).ConfigureAwait(false);
        return await Terminals.ForError(_context.Host).Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn())
            .StartAsync(async progress =>
            {
                var task = progress.AddTask(Markup.Escape(_label)).IsIndeterminate();
                return await import(new Direct(status =>
                {
                    if (status.BytesTotal <= 0) return;
                    task.IsIndeterminate = false;
                    task.MaxValue = status.BytesTotal;
                    task.Value = status.BytesDone;
                    task.Description = Markup.Escape($"{_label}, {ByteSize.Format(status.BytesDone)} of {ByteSize.Format(status.BytesTotal)}");
                })).ConfigureAwait(false);
            }).ConfigureAwait(false);
    }

    // Progress<T> would hand reports to the thread pool, and the last one might come after the end.
    private sealed class Direct(Action<PackageImport> show) : IProgress<PackageImport>
    {
        public void Report(PackageImport value) => show(value);
    }
}
