using Architekt.Fabric.Simulation.Scheduling;

namespace Architekt.Fabric.Simulation.Peers;

/// <summary>
/// A guest in its QEMU: while it runs it counts, writes each number to the next of its pages, and each write is acknowledged to a client. So
/// a page that is missing or old after a move is a write that was lost.
/// </summary>
internal sealed class SimGuest(Scheduler scheduler, Observer observer, string host, long epoch)
{
    public const int Pages = 4;
    private const long WritePeriod = 700;
    private const long SwitchSlept = 2_000_000;
    private readonly long[] _pages = new long[Pages];
    private long _written;
    private long _runsSince = -1;
    private int _switch;
    private bool _isFrozen;
    private bool _ranWhenFrozen;
    private bool _isDue;

    /// <summary>Its QEMU was killed by its own switch.</summary>
    public event Action? Died;

    public string Host => host;

    public long Epoch => epoch;

    /// <summary>Its disk, which outlives it.</summary>
    public SimDisk Disk { get; set; } = new();

    public bool IsAlive { get; private set; } = true;

    public bool IsRunning => _runsSince >= 0;

    /// <summary>When its QEMU ended; null while it lives.</summary>
    public long? EndedAt { get; private set; }

    /// <summary>The last number written.</summary>
    public long Written => IsRunning ? _written + ((scheduler.Now - _runsSince) / WritePeriod) : _written;

    public void Run()
    {
        if (!IsAlive || IsRunning) return;
        observer.Runs(this);
        _written = _pages.Max();
        _runsSince = scheduler.Now;
    }

    public void Stand()
    {
        if (!IsRunning) return;
        Settle();
        _runsSince = -1;
        Disk.Content = _written;
        observer.Stands(this);
    }

    public void Kill()
    {
        Stand();
        IsAlive = false;
        EndedAt ??= scheduler.Now;
    }

    /// <summary>It boots: what it knows it has from its disk.</summary>
    public void ReadDisk()
    {
        for (var page = 0; page < Pages; page++) _pages[page] = Disk.Content < 0 ? Disk.Content : LastWrittenTo(page, Disk.Content);
    }

    /// <summary>QEMU's dead man's switch: the kernel kills it after so many µs, whatever becomes of its peer; null: never.</summary>
    public void SetSwitch(long? delay)
    {
        var set = ++_switch;
        if (delay is { } time) scheduler.After(time, null, () => { if (set == _switch) EndOfLease(); });
    }

    /// <summary>Its host stands still.</summary>
    public void Freeze()
    {
        _isFrozen = true;
        _ranWhenFrozen = IsRunning;
        Stand();
    }

    /// <summary>Its host goes on. A timer that has run out meanwhile fires before anything else.</summary>
    /// <param name="switchSleeps">Whether the switch goes on from where it was instead.</param>
    public void Thaw(bool switchSleeps)
    {
        if (!_isFrozen) return;
        _isFrozen = false;
        if (_isDue && !switchSleeps)
        {
            EndOfLease();
            return;
        }

        if (_isDue) SetSwitch(SwitchSlept);
        if (!IsAlive || !_ranWhenFrozen) return;
        observer.Runs(this);
        _runsSince = scheduler.Now;
    }

    private void EndOfLease()
    {
        _isDue = _isFrozen;
        if (_isFrozen || !IsAlive) return;
        Kill();
        Died?.Invoke();
    }

    /// <summary>The pages written since a number was the last.</summary>
    public IEnumerable<int> WrittenSince(long number)
    {
        for (var next = Math.Max(number + 1, Written - Pages + 1); next <= Written; next++) yield return (int)(next % Pages);
    }

    public long Read(int page)
    {
        Settle();
        return _pages[page];
    }

    public void Receive(int page, long content) => _pages[page] = content;

    /// <summary>Whether every page is as it was when that number had been written.</summary>
    public bool Holds(long number)
    {
        for (var page = 0; page < Pages; page++)
        {
            if (_pages[page] != LastWrittenTo(page, number)) return false;
        }

        return true;
    }

    public override string ToString() => $"the guest on {host} with epoch {epoch}";

    private void Settle()
    {
        if (!IsRunning) return;
        var written = Written;
        _runsSince += (written - _written) * WritePeriod;
        _written = written;
        for (var page = 0; page < Pages; page++) _pages[page] = LastWrittenTo(page, written);
    }

    /// <summary>What a page holds once a number has been written.</summary>
    public static long LastWrittenTo(int page, long number) => number - ((number - page + Pages) % Pages) is var last && last > 0 ? last : 0;
}
