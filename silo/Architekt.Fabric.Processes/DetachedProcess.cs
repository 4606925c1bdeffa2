using System.ComponentModel;
using System.Diagnostics;

namespace Architekt.Fabric.Processes;

/// <summary>Starts processes that outlive the one that starts them.</summary>
/// <remarks>
/// Where systemd runs, the process gets a transient scope, because stopping our own service would otherwise end everything in its control
/// group; in any case it gets a session of its own, so that the signals of a terminal do not reach it. Descriptors without
/// close-on-exec are inherited.
/// </remarks>
public static class DetachedProcess
{
    private const int CannotExecute = 126;
    private static readonly TimeSpan _startLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(1);

    /// <summary>Starts <paramref name="file"/> with standard input from /dev/null and both outputs appended to <paramref name="logFile"/>.</summary>
    /// <param name="file">Name to look for in PATH, or path.</param>
    /// <param name="args">Arguments.</param>
    /// <param name="env">Variables on top of the inherited environment; null values remove.</param>
    /// <param name="workingDir">Folder to run in; null keeps the current one.</param>
    /// <param name="logFile">Created when it is not there; its folder must exist.</param>
    /// <param name="cancellationToken">Cancels the start; what was begun is killed.</param>
    /// <returns>The process itself, not a helper in between: all of them replace each other by exec.</returns>
    /// <exception cref="ToolMissingException"><paramref name="file"/>, `setsid` or `systemd-run` is not there.</exception>
    /// <exception cref="CommandFailedException">It ended before it was seen running; the end of the log is in the exception.</exception>
    public static Task<ProcessIdentity> StartAsync(
        string file, IReadOnlyList<string> args, IReadOnlyDictionary<string, string?>? env, string? workingDir, string logFile,
        CancellationToken cancellationToken = default)
        => StartAsync(DetachedLauncher.ForThisSystem(), file, args, env, workingDir, logFile, cancellationToken);

    /// <summary>
    /// As <see cref="StartAsync(string, IReadOnlyList{string}, IReadOnlyDictionary{string, string?}, string?, string, CancellationToken)"/>, but only a session of its
    /// own: the signals of a terminal do not reach the process, and it stays in the service that this process may belong to.
    /// </summary>
    /// <inheritdoc cref="StartAsync(string, IReadOnlyList{string}, IReadOnlyDictionary{string, string?}, string?, string, CancellationToken)"/>
    public static Task<ProcessIdentity> StartInSessionAsync(
        string file, IReadOnlyList<string> args, IReadOnlyDictionary<string, string?>? env, string? workingDir, string logFile,
        CancellationToken cancellationToken = default)
        => StartAsync(DetachedLauncher.SessionOnly(), file, args, env, workingDir, logFile, cancellationToken);

    internal static async Task<ProcessIdentity> StartAsync(
        DetachedLauncher launcher, string file, IReadOnlyList<string> args, IReadOnlyDictionary<string, string?>? env, string? workingDir,
        string logFile, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (workingDir is not null && !Directory.Exists(workingDir))
            throw new DirectoryNotFoundException($"'{file}' cannot run in '{workingDir}' because there is no such folder.");

        var executable = ExecutablePath.Require(file);
        var log = Path.GetFullPath(logFile);
        long logStart;
        using (var stream = new FileStream(log, FileMode.Append, FileAccess.Write, FileShare.ReadWrite))
            logStart = stream.Length;

        var words = launcher.CommandLine(executable, args, log);
        var start = new ProcessStartInfo(words[0], words.Skip(1)) { WorkingDirectory = workingDir ?? "" };
        foreach (var (name, value) in env ?? new Dictionary<string, string?>())
            start.Environment[name] = value;

        using var process = StartProcess(start, file, args);
        try
        {
            return await WaitUntilRunningAsync(process, cancellationToken).ConfigureAwait(false)
                ?? throw new CommandFailedException(ShellQuoting.Join(file, args), process.ExitCode, ReadFrom(log, logStart));
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    private static Process StartProcess(ProcessStartInfo start, string file, IReadOnlyList<string> args)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new CommandFailedException(ShellQuoting.Join(file, args), CannotExecute, e.Message);
        }
    }

    // The launchers hand over by exec, which no one announces: the command line in /proc is what changes at that moment.
    private static async Task<ProcessIdentity?> WaitUntilRunningAsync(Process process, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var identity = ProcessIdentity.TryOf(process.Id);
        while (identity is { } running && running.IsAlive())
        {
            var commandLine = ReadCommandLine(running.Pid);
            if (commandLine.Length > 0 && !DetachedLauncher.IsLauncher(commandLine) && running.IsAlive())
                return running;
            if (Stopwatch.GetElapsedTime(started) > _startLimit)
                throw new TimeoutException($"Process {running.Pid} was not handed over by its launcher within {_startLimit.TotalSeconds} s.");

            await Task.Delay(_lookAgain, cancellationToken).ConfigureAwait(false);
        }

        await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        return null;
    }

    private static string ReadCommandLine(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static string ReadFrom(string log, long offset)
    {
        using var stream = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Position = Math.Min(offset, stream.Length);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
