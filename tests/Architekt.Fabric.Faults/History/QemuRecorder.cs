using System.Globalization;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Faults.History;

/// <summary>Collects the traces of all QEMUs of a run, and looks all the time which of them are alive, because one that is killed does not write down its end.</summary>
internal sealed class QemuRecorder : IAsyncDisposable
{
    public const string CommandSuffix = ".command";
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(3);
    private readonly string _folder;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Seen> _seen = [];
    private readonly Task _watching;

    /// <param name="folder">Where QEMU's wrapper has it write: <c>PID.STARTTICKS</c>, and the same with <c>.command</c>.</param>
    public QemuRecorder(string folder)
    {
        _folder = folder;
        _watching = Task.Factory.StartNew(Watch, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>When which VM ran where, as far as it is known now.</summary>
    public IReadOnlyList<RunInterval> Read()
    {
        var intervals = new List<RunInterval>();
        List<(string Name, Seen Seen)> known;
        lock (_lock) known = [.. _seen.Select(static pair => (pair.Key, pair.Value))];
        foreach (var (name, seen) in known)
        {
            var trace = Path.Combine(_folder, name);
            if (seen.Instance is not { } instance || !File.Exists(trace)) continue;
            var ended = seen.HasEnded ? seen.LastAlive : (DateTimeOffset?)null;
            intervals.AddRange(QemuTrace.ReadRuns(ReadLines(trace)).Select(run => new RunInterval(instance.Host, instance.Vm, instance.Epoch, run.From, run.To ?? ended)));
        }

        return [.. intervals.OrderBy(static interval => interval.From)];
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
    }

    private void Watch()
    {
        while (!_stop.IsCancellationRequested)
        {
            foreach (var file in Directory.EnumerateFiles(_folder, "*" + CommandSuffix)) Notice(file);
            lock (_lock)
            {
                foreach (var seen in _seen.Values.Where(static seen => !seen.HasEnded))
                {
                    var now = TimeProvider.System.GetUtcNow();
                    if (seen.Process.IsAlive()) seen.LastAlive = now;
                    else seen.HasEnded = true;
                }
            }

            Thread.Sleep(_interval);
        }
    }

    private void Notice(string file)
    {
        var name = Path.GetFileNameWithoutExtension(file);
        lock (_lock)
        {
            if (_seen.ContainsKey(name)) return;
            var identity = name.Split('.');
            var process = new ProcessIdentity(int.Parse(identity[0], CultureInfo.InvariantCulture), long.Parse(identity[1], CultureInfo.InvariantCulture));
            _seen[name] = new Seen(process, QemuTrace.FindInstance(File.ReadAllText(file))) { LastAlive = TimeProvider.System.GetUtcNow() };
        }
    }

    private static List<string> ReadLines(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        return [.. reader.ReadToEnd().Split('\n')];
    }

    private sealed class Seen(ProcessIdentity process, (string Host, string Vm, long Epoch)? instance)
    {
        public ProcessIdentity Process => process;

        public (string Host, string Vm, long Epoch)? Instance => instance;

        public DateTimeOffset LastAlive { get; set; }

        public bool HasEnded { get; set; }
    }
}
