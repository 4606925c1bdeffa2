using System.Diagnostics;

namespace Architekt.Fabric.Memory.Tests;

/// <summary>The child that plays QEMU (native/guest.c), with its RAM armed by the preloaded library.</summary>
internal sealed class Guest : IDisposable
{
    private const int Batch = 500; // answers of one batch fit into a pipe, so neither side can block the other

    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "architekt-test-guest");

    private readonly TestFolder _folder;

    private Guest(TestFolder folder, GuestMemory memory, Process process, ArmedMapping mapping)
    {
        _folder = folder;
        Memory = memory;
        Process = process;
        Mapping = mapping;
    }

    public GuestMemory Memory { get; }

    public Process Process { get; }

    public ArmedMapping Mapping { get; }

    public string this[string name] => _folder[name];

    /// <param name="pages">Size of its RAM.</param>
    /// <param name="lazy">Whether missing pages wait for somebody to bring them.</param>
    public static Guest Start(int pages, bool lazy = false)
    {
        SkipUnlessTracking();
        var folder = new TestFolder();
        var memory = GuestMemory.Create(folder["ram"], (long)pages * GuestMemory.PageSize);
        var process = Launch(ArmingLibrary.Environment(memory.Path, folder["report"], lazy: lazy), Program, memory.Path);
        return new Guest(folder, memory, process, ReadReport(folder["report"], process));
    }

    public static void SkipUnlessTracking()
    {
        var support = DirtyTracking.Probe();
        Assert.SkipUnless(support.IsSupported, support.Reason ?? "");
    }

    public static Process Launch(IReadOnlyDictionary<string, string> environment, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    public static ArmedMapping ReadReport(string path, Process process)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(30));
        var reading = ArmedMapping.ReadAsync(path, deadline.Token);
        Task.WaitAny(reading, process.WaitForExitAsync(deadline.Token));
        if (reading.IsCompletedSuccessfully)
            return reading.Result;
        var state = process.HasExited ? $"ended with {process.ExitCode}: {process.StandardError.ReadToEnd()}" : "runs, but did not arm its RAM";
        deadline.Cancel();
        throw new InvalidOperationException($"No report at {path}: the process {state}.");
    }

    public DirtyTracker Attach(int mergeGapPages = DirtyTracker.DefaultMergeGapPages, int regionCapacity = 4096)
    {
        var tracker = DirtyTracker.Attach(Mapping, mergeGapPages, regionCapacity);
        tracker.ProtectAll();
        return tracker;
    }

    public string Ask(string command)
    {
        using var watchdog = StartWatchdog();
        Process.StandardInput.WriteLine(command);
        Process.StandardInput.Flush();
        return Process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"The guest ended at '{command}': {Process.StandardError.ReadToEnd()}");
    }

    public void Do(params IEnumerable<string> commands)
    {
        foreach (var batch in commands.Chunk(Batch))
        {
            foreach (var command in batch)
                Process.StandardInput.WriteLine(command);
            Process.StandardInput.Flush();
            using var watchdog = StartWatchdog();
            foreach (var command in batch)
            {
                var answer = Process.StandardOutput.ReadLine();
                if (answer != "ok")
                    throw new InvalidOperationException($"The guest answered '{answer}' to '{command}'.");
            }
        }
    }

    /// <summary>A guest that waits for a page which nobody brings would never answer; ended, it gives the test its failure.</summary>
    private Timer StartWatchdog() => new(_ => Process.Kill(), null, TimeSpan.FromSeconds(30), Timeout.InfiniteTimeSpan);

    public void Dispose()
    {
        End(Process);
        Memory.Dispose();
        _folder.Dispose();
    }

    /// <summary>Ends a process this test started, and waits until it is gone.</summary>
    public static void End(Process process)
    {
        if (!process.HasExited)
            process.Kill();
        process.WaitForExit();
        process.Dispose();
    }
}
