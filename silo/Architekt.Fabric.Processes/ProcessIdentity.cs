using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Architekt.Fabric.Processes.Interop;

namespace Architekt.Fabric.Processes;

/// <summary>A process that cannot be confused with a later one of the same number.</summary>
/// <remarks>The start time counts from boot, so an identity kept in a file means something only until the next boot: keep it under /run.</remarks>
/// <param name="Pid">Process id.</param>
/// <param name="StartTicks">Start time in clock ticks since boot: field 22 of /proc/PID/stat (proc(5)).</param>
public readonly record struct ProcessIdentity(int Pid, long StartTicks)
{
    /// <summary>The identity of the process that has this id now.</summary>
    /// <exception cref="InvalidOperationException">There is no such process.</exception>
    public static ProcessIdentity Of(int pid)
        => TryOf(pid) ?? throw new InvalidOperationException($"There is no process {pid}; it has ended or was never started.");

    /// <summary>As <see cref="Of"/>, but null when there is no such process. One that has ended but was not waited for counts as gone.</summary>
    public static ProcessIdentity? TryOf(int pid)
    {
        var stat = ProcessStat.Read(pid);
        return stat is { HasEnded: false } ? new ProcessIdentity(pid, stat.Value.StartTicks) : null;
    }

    /// <summary>This process.</summary>
    public static ProcessIdentity Current => Of(Environment.ProcessId);

    /// <summary>True while this very process exists and has not ended (a zombie has ended).</summary>
    public bool IsAlive() => TryOf(Pid) == this;

    /// <summary>Waits until the process has ended.</summary>
    /// <param name="timeout">How long to wait at most; <see cref="Timeout.InfiniteTimeSpan"/> for ever, zero only looks.</param>
    /// <param name="cancellationToken">Ends the wait, not the process.</param>
    /// <returns>False when it is still alive after the time.</returns>
    public async Task<bool> WaitForExitAsync(TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var process = ProcessDescriptor.Open(Pid);
        if (process is null || !IsAlive())
            return true;

        using var wake = NativeMethods.EventDescriptor(0, NativeMethods.EventCloseOnExec | NativeMethods.EventNonBlocking);
        if (wake.IsInvalid)
            throw new IOException("Waiting for a process needs an eventfd, and the system has none left; raise the limit of open files.");

        bool ended;
        using (cancellationToken.Register(static state => NativeMethods.Write((Descriptor)state!, 1UL, sizeof(ulong)), wake))
        {
            // A thread of its own: the wait may last as long as a VM lives and must not hold one of the pool.
            ended = await Task.Factory.StartNew(
                () => ProcessDescriptor.Wait(process, wake, timeout),
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
        }

        if (!ended)
            cancellationToken.ThrowIfCancellationRequested();
        return ended;
    }

    /// <summary>Sends a signal to this very process, never to one that got its number later.</summary>
    /// <returns>False when the process has already ended.</returns>
    public bool Kill(ProcessSignal signal)
    {
        using var process = ProcessDescriptor.Open(Pid);

        // The descriptor holds whoever has the number now; only after that the start time tells whether it is ours.
        return process is not null && IsAlive() && ProcessDescriptor.Signal(process, (int)signal);
    }

    /// <summary>`PID:TICKS`, for files; <see cref="Parse"/> reads it back.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Pid}:{StartTicks}");

    /// <summary>Reads what <see cref="ToString"/> wrote; white space around it is ignored.</summary>
    /// <exception cref="FormatException">The text is no process identity.</exception>
    public static ProcessIdentity Parse(string text)
        => TryParse(text, out var identity) ? identity : throw new FormatException($"'{text}' is no process identity; expected PID:TICKS.");

    /// <summary>As <see cref="Parse"/>, without the exception.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out ProcessIdentity identity)
    {
        identity = default;
        var parts = text?.Trim().Split(':') ?? [];
        if (parts.Length != 2
            || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pid) || pid == 0
            || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks))
            return false;

        identity = new ProcessIdentity(pid, ticks);
        return true;
    }
}
