using System.Runtime.InteropServices;
using Architekt.Fabric.Memory.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Memory;

/// <summary>
/// Lets a guest run before its RAM is there: brings the pages of a package that the guest touches at once, and the others behind its back. Pages arrive write-protected,
/// so that the <see cref="DirtyTracker"/> reports only what the guest itself wrote: what differs from the package.
/// </summary>
/// <remarks>
/// <para>How to use it: create the RAM, start QEMU with the lazy form of <see cref="ArmingLibrary.Environment(string, string, int?, bool)"/>, attach a tracker to what it reports,
/// start the fill, and only then load device state or let the guest run. Whatever touches the RAM before waits for the fill.</para>
/// <para>Until the fill is complete, a guest thread that touches a missing page waits for this object, without end if this process dies: QEMU keeps the userfaultfd open, so nothing is
/// lost and nothing reads as zeros that is not, but only ending QEMU helps then. Once it is complete, the guest depends on nobody: holes of the package are the kernel's
/// again, small ones are filled with zeros.</para>
/// <para>Members may be used from several threads.</para>
/// </remarks>
public sealed partial class LazyFill : IAsyncDisposable
{
    /// <summary>So many pages are kept count of, 64 MiB: more than that is not what a guest begins with, and not soon brought.</summary>
    public const int MostPagesOnDemand = 16384;

    private readonly GuestMemory _memory;
    private readonly DirtyTracker _tracker;
    private readonly LazyFillOptions _options;
    private readonly TimeProvider _time;
    private readonly SafeFileHandle _process;
    private readonly SafeFileHandle _userfault;
    private readonly FillMap _map;
    private readonly long _dataPages;
    private readonly FaultServer _server;
    private readonly PageInstaller _background;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private Task _filling = Task.CompletedTask;
    private CancellationTokenSource _change = new();
    private volatile FillMode _mode;
    private int _waiting;
    private volatile bool _isDisposed;
    private long _lastFault;

    private LazyFill(
        GuestMemory memory, DirtyTracker tracker, PackageMemory package, LazyFillOptions options, TimeProvider time, SafeFileHandle process, SafeFileHandle userfault)
    {
        _memory = memory;
        _tracker = tracker;
        _options = options;
        _time = time;
        _process = process;
        _userfault = userfault;
        _mode = options.Mode;
        _map = new FillMap(package.Data);
        _dataPages = package.DataPages;
        _lastFault = time.GetTimestamp();
        var address = tracker.Mapping.Address;
        _background = new PageInstaller(userfault, address, package, _map);
        _server = new FaultServer(
            userfault, process, address, _map, new PageInstaller(userfault, address, package, _map),
            () => Mode == FillMode.None ? 1 : options.FaultAroundPages,
            () => Volatile.Write(ref _lastFault, time.GetTimestamp()),
            Fail);
    }

    /// <summary>What it does besides bringing what is touched. Can be changed at any time.</summary>
    public FillMode Mode
    {
        get => _mode;
        set
        {
            if (!Enum.IsDefined(value))
                throw new ArgumentOutOfRangeException(nameof(value), value, "There is no such mode.");
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _mode = value;
            Change();
        }
    }

    /// <summary>How far it has come.</summary>
    public FillProgress Progress => new(
        _completion.Task.IsCompletedSuccessfully ? FillState.Complete : _completion.Task.IsFaulted ? FillState.Failed : FillState.Filling,
        _server.Faults, _server.Pages, _background.Pages, _dataPages, _memory.ResidentBytes);

    /// <summary>The pages that the guest touched when they were missing, neighbours included: the first <see cref="MostPagesOnDemand"/> of them.</summary>
    public PageSet PagesOnDemand
    {
        get
        {
            var pages = new PageSet(_memory.Length);
            var ranges = new List<PageRange>();
            for (var block = 0; block < _map.Blocks; block++)
                Append(ranges, block, _server.Demanded(block));
            foreach (var range in ranges)
                pages.Add(range);
            return pages;
        }
    }

    /// <summary>
    /// Ends when all of the package is there; fails with a <see cref="MemoryFillException"/> when a page cannot be brought. Never ends by itself with <see cref="FillMode.None"/>.
    /// Is cancelled when the fill is disposed before.
    /// </summary>
    public Task Completion => _completion.Task;

    /// <summary>
    /// Protects all of the RAM, so that nothing counts as written, and begins to serve the guest. Takes about 3 ms for each GiB.
    /// </summary>
    /// <param name="memory">The guest's RAM, all hole. Its content cannot be had through this object until the fill is complete.</param>
    /// <param name="tracker">Attached to the process that has it armed, lazily.</param>
    /// <param name="package">What to fill it with; has to stay open until this is disposed.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="time">For the pace; null for the system's.</param>
    /// <exception cref="MemoryFillException">Sizes differ, the RAM is not empty, the process is gone, or its userfaultfd cannot be had (same user or CAP_SYS_PTRACE).</exception>
    /// <exception cref="IOException">The process is gone or its RAM is not armed.</exception>
    public static LazyFill Start(GuestMemory memory, DirtyTracker tracker, PackageMemory package, LazyFillOptions? options = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(tracker);
        ArgumentNullException.ThrowIfNull(package);
        options ??= new LazyFillOptions();
        options.Validate();
        if (options.First is { } first && first.Length != memory.Length)
            throw new ArgumentException($"The pages to bring first are of {first.Length} bytes of RAM and not of {memory.Length}.", nameof(options));
        var mapping = tracker.Mapping;
        if (package.Length != memory.Length || mapping.Length != (ulong)memory.Length)
            throw new MemoryFillException(
                MemoryFillError.Mismatch,
                $"The package's RAM {package.Path} has {package.Length} bytes, the guest's RAM {memory.Path} has {memory.Length} and process {mapping.Pid} maps {mapping.Length}: they have to be equal.");
        SafeFileHandle? process = null, userfault = null;
        try
        {
            process = Libc.OpenProcess(Libc.SystemCallPidfdOpen, mapping.Pid, 0);
            if (process.IsInvalid)
                throw new MemoryFillException(MemoryFillError.ProcessGone, $"The RAM of process {mapping.Pid} cannot be filled: {Libc.LastError()}.");
            userfault = Libc.GetDescriptor(Libc.SystemCallPidfdGetDescriptor, process, mapping.UserfaultDescriptor, 0);
            if (userfault.IsInvalid)
                throw new MemoryFillException(
                    MemoryFillError.Refused,
                    $"The userfaultfd {mapping.UserfaultDescriptor} of process {mapping.Pid} cannot be had: {Libc.LastError()}. The peer has to run as QEMU's user or with CAP_SYS_PTRACE.");
            Register(userfault, mapping);
            if (memory.ResidentBytes is > 0 and var resident)
                throw new MemoryFillException(
                    MemoryFillError.ForeignPage, $"Guest RAM {memory.Path} already holds {resident} bytes: only RAM that nobody has touched can be filled from a package.");
            tracker.ProtectAll();
            var fill = new LazyFill(memory, tracker, package, options, time ?? TimeProvider.System, process, userfault);
            memory.BeginFill();
            fill._server.Start();
            fill._filling = Task.Run(fill.FillAsync);
            return fill;
        }
        catch
        {
            userfault?.Dispose();
            process?.Dispose();
            throw;
        }
    }

    /// <summary>Brings everything as fast as it can, whatever the mode, and waits for it. Before a migration, a digest or a checkpoint.</summary>
    /// <param name="cancellationToken">Ends the waiting; the fill goes on in its own mode.</param>
    /// <exception cref="MemoryFillException">A page could not be brought.</exception>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        Interlocked.Increment(ref _waiting);
        Change();
        try
        {
            await Completion.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>
    /// Stops. Before the fill is complete, this leaves the guest waiting for the next missing page it touches, and its RAM cannot be used: end QEMU as well.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
        }
        Change();
        await _filling.ConfigureAwait(false);
        _server.Dispose();
        _completion.TrySetCanceled(CancellationToken.None);
        _change.Dispose();
        _userfault.Dispose();
        _process.Dispose();
    }

    /// <summary>Changes nothing if the RAM was armed lazily. If it was not, the guest would see zeros in place of the package.</summary>
    private static unsafe void Register(SafeFileHandle userfault, ArmedMapping mapping)
    {
        var register = new UserfaultRegister { Start = mapping.Address, Length = mapping.Length, Mode = Userfault.Missing | Userfault.WriteProtect };
        if (Libc.Control(userfault, Userfault.Register, &register) != 0)
            throw new MemoryFillException(
                Marshal.GetLastPInvokeError() == Libc.ErrorNoSuchProcess ? MemoryFillError.ProcessGone : MemoryFillError.Refused,
                $"The RAM of process {mapping.Pid} could not be registered for filling: {Libc.LastError()}. Was the arming library preloaded?");
    }

    private void Fail(Exception failure)
    {
        // A process that ends once all is there has ended and nothing has failed.
        if (!_completion.TrySetException(failure))
            return;
        // Looked at, because it may be that nobody waits for it.
        _ = _completion.Task.Exception;
        Change();
    }
}
