using System.Runtime.InteropServices;
using Architekt.Init.Interop;

namespace Architekt.Init.Processes;

/// <summary>Starts processes and reaps all that end, its own and those whose parents have left them to the first process.</summary>
internal sealed class ProcessTable : IDisposable
{
    private const int AnyChild = -1;
    private const int AllProcesses = -1;

    private readonly Lock _lock = new();
    private readonly Dictionary<int, ChildProcess> _running = [];
    private readonly AutoResetEvent _started = new(initialState: false);
    private readonly ManualResetEvent _none = new(initialState: true);

    /// <summary>Starts reaping; it goes on until the guest ends.</summary>
    internal void StartReaping() => new Thread(Reap) { IsBackground = true }.Start();

    /// <summary>Starts a program through <see cref="Launcher"/>.</summary>
    /// <exception cref="InitException">It cannot be started.</exception>
    internal ChildProcess Start(ProgramStart program)
    {
        // Under the lock, so that a program that ends at once is known before it is reaped.
        lock (_lock)
        {
            var error = LibC.Spawn(
                out var id, Launcher.Self, fileActions: 0, attributes: 0, [.. Launcher.ArgumentsFor(program), null], [.. program.Environment, null]);
            if (error != 0)
                throw new InitException($"cannot start {program.Command[0]}: {Marshal.GetPInvokeErrorMessage(error)}");
            var child = new ChildProcess { Id = id };
            _running.Add(id, child);
            _none.Reset();
            _started.Set();
            return child;
        }
    }

    /// <summary>Signals a process of ours, never one that got its number later.</summary>
    internal void Signal(ChildProcess child, int signal)
    {
        lock (_lock)
        {
            if (_running.ContainsKey(child.Id))
                _ = LibC.Kill(child.Id, signal);
        }
    }

    /// <summary>Signals every process but the first.</summary>
    internal static void SignalAll(int signal) => _ = LibC.Kill(AllProcesses, signal);

    /// <summary>Waits until the first process is the only one.</summary>
    internal bool WaitUntilNoneIsLeft(TimeSpan timeout) => _none.WaitOne(timeout);

    /// <inheritdoc/>
    public void Dispose()
    {
        _started.Dispose();
        _none.Dispose();
    }

    private void Reap()
    {
        while (true)
        {
            var id = LibC.WaitForChild(AnyChild, out var status, 0);
            if (id > 0)
                SetEnded(id, new ExitStatus(status));
            else if (Marshal.GetLastPInvokeError() == LibC.NoChildren && HasReallyNone())
                _started.WaitOne();
        }
    }

    // One may have been started since wait(2) found none.
    private bool HasReallyNone()
    {
        lock (_lock)
        {
            if (_running.Count > 0)
                return false;
            _none.Set();
            return true;
        }
    }

    private void SetEnded(int id, ExitStatus status)
    {
        lock (_lock)
        {
            if (_running.Remove(id, out var child))
                child.SetEnded(status);
        }
    }
}
