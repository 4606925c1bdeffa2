using System.Diagnostics;

namespace Architekt.Fabric.Cli.Tests.Interop;

/// <summary>A thread of its own for something that is expected to wait in the kernel.</summary>
internal sealed class WaitingThread
{
    private readonly TaskCompletionSource<string> _folder = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private WaitingThread(Action work) => Ended = Task.Factory.StartNew(
        () =>
        {
            _folder.SetResult($"/proc/{File.ResolveLinkTarget("/proc/thread-self", returnFinalTarget: false)!.FullName["/proc/".Length..]}");
            work();
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    /// <summary>When the work is done, or how it failed.</summary>
    public Task Ended { get; }

    public static WaitingThread Start(Action work) => new(work);

    /// <summary>Waits until the thread is in a system call (proc(5), /proc/PID/syscall); fails when its work ends before.</summary>
    /// <param name="call">What its line begins with.</param>
    /// <param name="patience">How long that may take.</param>
    public async Task WaitsAsync(string call, TimeSpan patience)
    {
        var path = Path.Combine(await _folder.Task, "syscall");
        var waited = Stopwatch.StartNew();
        while (!Ended.IsCompleted && !(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)).StartsWith(call, StringComparison.Ordinal))
        {
            Assert.True(waited.Elapsed < patience, $"It never waited in system call {call.Trim()}.");
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        if (Ended.IsCompleted)
        {
            await Ended;
            Assert.Fail("It did not wait.");
        }
    }
}
