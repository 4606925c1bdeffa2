using System.Collections;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Architekt.Fabric.Qemu;

/// <summary>A running QEMU, child of this process. Disposing kills it.</summary>
public sealed class QemuProcess : IAsyncDisposable
{
    private const int ErrorTailLines = 20;

    private readonly TaskCompletionSource<int> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SafePidfdHandle _pidfd;
    private readonly string _standardErrorPath;
    private readonly long _standardErrorStart;
    private readonly ILogger _logger;

    private QemuProcess(int pid, string standardErrorPath, long standardErrorStart, ILogger logger)
    {
        (_standardErrorPath, _standardErrorStart, _logger) = (standardErrorPath, standardErrorStart, logger);
        // Both before anybody can reap the child: until then its pid is its own, even if it is dead already.
        _pidfd = Libc.OpenPidfd(pid);
        Identity = new(pid, ProcessIdentity.ReadStat(pid)?.StartTime ?? 0);
        new Thread(Reap, 256 * 1024) { IsBackground = true, Name = $"wait for QEMU {pid}" }.Start();
    }

    /// <summary>Process id and start time, for the runtime folder: finds this QEMU again after a restart, and never another process.</summary>
    public ProcessIdentity Identity { get; }

    /// <summary>Process id.</summary>
    public int Pid => Identity.Pid;

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _exit.Task.IsCompleted;

    /// <summary>Exit code, 128 plus the signal if one ended it; null while it runs.</summary>
    public int? ExitCode => _exit.Task.IsCompletedSuccessfully ? _exit.Task.Result : null;

    /// <summary>Starts QEMU. That it runs, and not that its options are right: that shows when QMP answers (<see cref="ConnectQmpAsync"/>).</summary>
    /// <exception cref="QemuStartException">The program, or setpriv where it is needed, cannot be executed.</exception>
    public static QemuProcess Start(QemuProcessOptions options, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var program = QemuBinary.Find(options.Binary);
        var arguments = options.Arguments;
        var environment = CurrentEnvironment();
        if (options.UserId is { } user)
        {
            // Variables such as LD_PRELOAD are meant for QEMU, not for setpriv, which still has all privileges.
            arguments = [.. SetprivArguments(user, options), "env", .. options.Environment.Select(pair => $"{pair.Key}={pair.Value}"), program, .. arguments];
            program = QemuBinary.FindInPath("setpriv")
                ?? throw new QemuStartException("setpriv was not found in PATH, but is needed to run QEMU as another user; install the package 'util-linux'");
        }
        else
        {
            foreach (var (name, value) in options.Environment) environment[name] = value;
        }
        var errorFile = new FileInfo(options.StandardErrorPath);
        var errorStart = errorFile.Exists ? errorFile.Length : 0;
        try
        {
            var pid = ChildProcess.Spawn(program, arguments, environment, options.InheritedDescriptors, options.StandardErrorPath);
            logger ??= NullLogger.Instance;
            if (logger.IsEnabled(LogLevel.Information))
            {
                var command = $"{program} {string.Join(' ', arguments)}";
                QemuLog.Started(logger, pid, command);
            }
            return new QemuProcess(pid, options.StandardErrorPath, errorStart, logger);
        }
        catch (Win32Exception exception)
        {
            throw new QemuStartException(
                $"QEMU was not started: {exception.Message} (error file '{options.StandardErrorPath}', descriptors [{string.Join(", ", options.InheritedDescriptors)}])",
                inner: exception);
        }
    }

    /// <summary>Completes with the exit code once QEMU has ended. Cancelling ends the waiting, not QEMU.</summary>
    public Task<int> WaitForExitAsync(CancellationToken cancellationToken) => _exit.Task.WaitAsync(cancellationToken);

    /// <summary>Connects to QMP as soon as QEMU is ready.</summary>
    /// <exception cref="QemuStartException">QEMU ended first; carries its last lines of errors.</exception>
    public async Task<QmpClient> ConnectQmpAsync(string socketPath, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var connecting = QmpClient.ConnectAsync(socketPath, timeProvider, _logger, stop.Token);
        if (await Task.WhenAny(connecting, _exit.Task).ConfigureAwait(false) == _exit.Task && !connecting.IsCompletedSuccessfully)
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await DropAsync(connecting).ConfigureAwait(false);
            throw CreateStartException();
        }
        try
        {
            return await connecting.ConfigureAwait(false);
        }
        catch (QmpConnectionException)
        {
            // The socket closes a moment before the process is seen to end. A QEMU that lives on was not the one to close it.
            var ended = await Task.WhenAny(_exit.Task, Task.Delay(TimeSpan.FromSeconds(2), timeProvider, cancellationToken)).ConfigureAwait(false);
            if (ended == _exit.Task) throw CreateStartException();
            throw;
        }
    }

    /// <summary>An exception that says how QEMU ended, with the last lines of its errors.</summary>
    public QemuStartException CreateStartException()
    {
        var errors = ReadStandardErrorTail();
        var how = ExitCode is { } code ? $"ended with exit code {code}" : "did not get ready";
        return new($"QEMU {how}: {(errors.Length == 0 ? "it wrote no error" : errors)} (see '{_standardErrorPath}')", ExitCode, errors);
    }

    /// <summary>The last 20 lines, at most 16 KiB, that this QEMU wrote to its error stream.</summary>
    public string ReadStandardErrorTail()
    {
        try
        {
            using var file = new FileStream(_standardErrorPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            file.Position = Math.Max(Math.Min(_standardErrorStart, file.Length), file.Length - (16 * 1024));
            using var reader = new StreamReader(file);
            return string.Join('\n', reader.ReadToEnd().TrimEnd().Split('\n').TakeLast(ErrorTailLines));
        }
        catch (IOException)
        {
            return "";
        }
    }

    /// <summary>Ends QEMU at once; the guest loses what it has not written. Nothing happens if it has ended already.</summary>
    public void Kill()
    {
        if (HasExited || _pidfd.IsClosed) return;
        if (_pidfd.IsInvalid) Identity.Kill();
        else _ = Libc.SendSignal(_pidfd, Libc.Sigkill);
    }

    /// <summary>Kills QEMU if it runs and waits for its end.</summary>
    public async ValueTask DisposeAsync()
    {
        Kill();
        await _exit.Task.ConfigureAwait(false);
        _pidfd.Dispose();
    }

    private static async Task DropAsync(Task<QmpClient> connecting)
    {
        try
        {
            await (await connecting.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // What went wrong is that QEMU ended, and that is reported.
        }
    }

    private static IEnumerable<string> SetprivArguments(int user, QemuProcessOptions options)
    {
        yield return $"--reuid={user}";
        yield return $"--regid={options.GroupId ?? user}";
        yield return options.SupplementaryGroups.Count == 0 ? "--clear-groups" : $"--groups={string.Join(',', options.SupplementaryGroups)}";
        yield return "--no-new-privs";
        yield return "--inh-caps=-all";
    }

    private static Dictionary<string, string> CurrentEnvironment()
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables()) result[(string)entry.Key] = (string?)entry.Value ?? "";
        return result;
    }

    /// <summary>A thread that waits costs a few pages; waiting by a pidfd would need an event loop of our own.</summary>
    private void Reap()
    {
        int result, status;
        do result = Libc.WaitPid(Pid, out status, 0);
        while (result < 0 && Marshal.GetLastPInvokeError() == Libc.Eintr);
        // wait(2): the low seven bits are the signal, the byte above is the exit code. Reaped by somebody else (SIGCHLD ignored): unknown.
        var code = result != Pid ? -1 : (status & 0x7f) is not 0 and var signal ? 128 + signal : (status >> 8) & 0xff;
        QemuLog.Ended(_logger, Pid, code);
        _exit.TrySetResult(code);
    }
}
