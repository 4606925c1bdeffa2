using System.Numerics;
using System.Runtime.InteropServices;
using Architekt.Fabric.Memory.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Memory;

/// <summary>A thread that answers the faults of a guest on missing pages. Allocates nothing while it does.</summary>
internal sealed unsafe class FaultServer : IDisposable
{
    private const int Batch = 32;
    private const int EventFlags = Libc.OpenCloseOnExec | Libc.OpenNonBlocking; // EFD_CLOEXEC and EFD_NONBLOCK (eventfd(2))

    private readonly SafeFileHandle _userfault;
    private readonly SafeFileHandle _process;
    private readonly SafeFileHandle _stop;
    private readonly ulong _address;
    private readonly FillMap _map;
    private readonly PageInstaller _installer;
    private readonly Func<int> _faultAround;
    private readonly Action _faulted;
    private readonly Action<MemoryFillException> _failed;
    private readonly Thread _thread;
    private readonly ulong[] _demanded;
    private long _faults;
    private long _demandedPages;

    /// <param name="userfault">The userfaultfd of the process; stays the caller's.</param>
    /// <param name="process">A descriptor of the process (pidfd_open(2)); stays the caller's.</param>
    /// <param name="address">Where the RAM begins in the process.</param>
    /// <param name="map">What is there.</param>
    /// <param name="installer">Brings pages; this thread's own.</param>
    /// <param name="faultAround">Pages to bring for one that is touched.</param>
    /// <param name="faulted">Is called on this thread before each answer.</param>
    /// <param name="failed">Is called on this thread when a page could not be brought, or the process is gone.</param>
    public FaultServer(
        SafeFileHandle userfault, SafeFileHandle process, ulong address, FillMap map, PageInstaller installer,
        Func<int> faultAround, Action faulted, Action<MemoryFillException> failed)
    {
        _userfault = userfault;
        _process = process;
        _address = address;
        _map = map;
        _demanded = new ulong[map.Blocks];
        _installer = installer;
        _faultAround = faultAround;
        _faulted = faulted;
        _failed = failed;
        _stop = Libc.CreateEvent(0, EventFlags);
        if (_stop.IsInvalid)
            throw new IOException($"Could not prepare to fill guest RAM: {Libc.LastError()}. Check the limit on open files (ulimit -n).");
        _thread = new Thread(Serve) { Name = "architekt-faults", IsBackground = true };
    }

    public long Faults => Volatile.Read(ref _faults);

    public long Pages => _installer.Pages;

    /// <summary>Pages of a block that were brought for a guest that waited for them.</summary>
    public ulong Demanded(int block) => Volatile.Read(ref _demanded[block]);

    public void Start() => _thread.Start();

    /// <summary>Ends the thread.</summary>
    public void Dispose()
    {
        if (_stop.IsClosed)
            return;
        ulong one = 1;
        _ = Libc.Write(_stop, &one, sizeof(ulong));
        if (_thread.ThreadState is not ThreadState.Unstarted)
            _thread.Join();
        _stop.Dispose();
    }

    private void Serve()
    {
        var messages = stackalloc UserfaultMessage[Batch];
        var waiting = stackalloc PollDescriptor[3];
        waiting[0] = new PollDescriptor { Descriptor = (int)_userfault.DangerousGetHandle(), Events = Libc.PollIn };
        waiting[1] = new PollDescriptor { Descriptor = (int)_stop.DangerousGetHandle(), Events = Libc.PollIn };
        waiting[2] = new PollDescriptor { Descriptor = (int)_process.DangerousGetHandle(), Events = Libc.PollIn };
        while (true)
        {
            var got = Libc.Read(_userfault, messages, (nuint)(Batch * sizeof(UserfaultMessage)));
            var error = got < 0 ? Marshal.GetLastPInvokeError() : 0;
            for (var i = 0; i < (int)got / sizeof(UserfaultMessage); i++)
            {
                if (messages[i].Event == Userfault.PageFault)
                    Answer(messages[i].Address);
            }
            if (got > 0 || error == Libc.ErrorInterrupted)
                continue;
            if (error != Libc.ErrorAgain)
            {
                _failed(new MemoryFillException(MemoryFillError.Refused, $"The faults of the guest could not be read: {Marshal.GetPInvokeErrorMessage(error)}. It has to be ended."));
                return;
            }
            Libc.Poll(waiting, 3, -1);
            if (waiting[1].Returned != 0)
                return;
            if (waiting[2].Returned == 0)
                continue;
            _failed(new MemoryFillException(MemoryFillError.ProcessGone, "The guest's RAM can no longer be filled: its process is gone."));
            return;
        }
    }

    private void Answer(ulong address)
    {
        var offset = (long)(address - _address) & -GuestMemory.PageSize;
        var block = (int)(offset / FillMap.BlockBytes);
        var page = (int)(offset % FillMap.BlockBytes / GuestMemory.PageSize);
        _faults++;
        _faulted();
        var claimed = _map.Claim(block, Around(block, page));
        var failure = _installer.Install(block, claimed);
        if (_demandedPages < LazyFill.MostPagesOnDemand)
        {
            Volatile.Write(ref _demanded[block], _demanded[block] | claimed);
            _demandedPages += BitOperations.PopCount(claimed);
        }
        // A page that is claimed and not there is being brought by the other thread, which wakes the guest as it does.
        if ((claimed >> page & 1) == 0 && _map.IsPresent(block, page))
            failure = _installer.Restore(_address + (ulong)offset) ?? failure;
        if (failure is not null)
            _failed(failure);
    }

    /// <summary>The page and its neighbours that are missing, in the package or in its hole as the page itself.</summary>
    private ulong Around(int block, int page)
    {
        var count = _faultAround();
        var group = FillMap.Run(page & -count, count);
        var alike = (_map.Data(block) >> page & 1) != 0 ? _map.Data(block) : ~_map.Data(block);
        return group & alike & _map.Unclaimed(block) & ~(1UL << page) | (1UL << page);
    }
}
