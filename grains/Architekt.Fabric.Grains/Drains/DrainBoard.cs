using System.Security.Cryptography;
using System.Text;

namespace Architekt.Fabric.Grains;

/// <summary>
/// Which VM goes where, and when, as plain code: no I/O, no clock, no Orleans. It promises that no more VMs move at once than allowed, none twice at once, that
/// its moves together never ask more of a destination than is free there, and that it ends.
/// </summary>
internal sealed class DrainBoard
{
    /// <summary>Migrations of one VM after which it stays.</summary>
    internal const int MaxAttempts = 6;

    private const int MaxAttemptsPerDestination = 2;
    private const int MaxOperationIdLength = FabricNames.MaxNameLength;

    /// <summary>How long a VM, or its host, may be in a state that nothing can move out of before it is given up.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan _retryDelay = TimeSpan.FromSeconds(1);
    private readonly DrainPlan _plan;
    private readonly SortedDictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private DateTimeOffset? _silentSince;

    internal DrainBoard(DrainPlan plan, DrainState state)
    {
        _plan = plan;
        IsCancelRequested = state.IsCancelRequested;
        foreach (var vm in state.Vms) _entries[vm.Vm] = new Entry(vm);
    }

    private sealed class Entry(DrainedVm report)
    {
        public DrainedVm Report { get; set; } = report;

        public long MemoryBytes { get; set; }

        public bool IsRunning { get; set; }

        /// <summary>Whether its state, or another operation, keeps it from being migrated now.</summary>
        public string? Obstacle { get; set; }

        public DateTimeOffset? ObstructedSince { get; set; }

        public DateTimeOffset RetryAt { get; set; }

        /// <summary>Since when not even a migration of it can be asked for.</summary>
        public DateTimeOffset? NotBegunSince { get; set; }

        public Dictionary<string, int> Failures { get; } = [];
    }

    public bool IsCancelRequested { get; private set; }

    public IReadOnlyList<DrainedVm> Vms => [.. _entries.Values.Select(entry => entry.Report)];

    public DrainState State => new(IsCancelRequested, Vms);

    /// <summary>The migrations that are, or should be, under way.</summary>
    public IReadOnlyList<DrainMove> Moving => [.. _entries.Values.Select(entry => entry.Report).Where(IsMoving).Select(ToMove)];

    public void Cancel() => IsCancelRequested = true;

    /// <summary>Whether nothing more is begun.</summary>
    public bool IsEnding(DateTimeOffset now) => IsCancelRequested || now >= _plan.DeadlineAt;

    /// <summary>Compares with what is on the host now.</summary>
    public void Look(DrainView view, DateTimeOffset now)
    {
        _silentSince = view.CanLeave ? null : _silentSince ?? now;
        var present = view.Vms.ToDictionary(vm => vm.Name);
        foreach (var vm in view.Vms)
        {
            if (!_entries.TryGetValue(vm.Name, out var entry)) _entries[vm.Name] = entry = new Entry(new DrainedVm(vm.Name, DrainedVmState.Waiting));

            // It was away and came back, on a migration begun before the host was cordoned.
            if (entry.Report.State is DrainedVmState.Left or DrainedVmState.Moved) entry.Report = new DrainedVm(vm.Name, DrainedVmState.Waiting, Attempts: entry.Report.Attempts);
            entry.MemoryBytes = vm.MemoryBytes;
            entry.IsRunning = !vm.HasEnded();
            entry.Obstacle = vm.Operation is { } operation ? $"operation {operation} is under way on it"
                : vm.State is VmState.Running or VmState.Booting || vm.HasEnded() ? null
                : $"it is {vm.State.ToString().ToLowerInvariant()}";

            // An operation ends by itself; a guest that will not stop may never.
            entry.ObstructedSince = entry.Obstacle is null || vm.Operation is not null ? null : entry.ObstructedSince ?? now;
        }

        foreach (var entry in _entries.Values.Where(entry => !present.ContainsKey(entry.Report.Vm) && entry.Report.State is not (DrainedVmState.Moving or DrainedVmState.Moved or DrainedVmState.Failed)))
            entry.Report = entry.Report with { State = DrainedVmState.Left, Reason = null };
    }

    /// <summary>The next migration to begin, which counts as under way from now on; null if there is none now.</summary>
    public DrainMove? Next(DrainView view, DateTimeOffset now)
    {
        if (IsEnding(now) || !view.CanLeave || _entries.Values.Count(entry => IsMoving(entry.Report)) >= _plan.Options.Parallel) return null;
        var free = FreeBytes(view);

        // The largest first, while there is most room; those that are stopped need none.
        foreach (var entry in _entries.Values.Where(entry => IsReady(entry, now)).OrderByDescending(entry => entry.IsRunning).ThenByDescending(entry => entry.MemoryBytes))
        {
            if (Choose(entry, free) is not { } destination) continue;
            var attempt = entry.Report.Attempts + 1;
            entry.Report = entry.Report with
            {
                State = DrainedVmState.Moving,
                Destination = destination,
                Operation = OperationId(entry.Report.Vm, attempt),
                Attempts = attempt,
                Reason = null,
            };
            return ToMove(entry.Report);
        }

        return null;
    }

    /// <summary>A migration could not be begun, for a reason that may pass; nothing of it was recorded.</summary>
    public void NotBegun(DrainMove move, string reason, DateTimeOffset now)
    {
        var entry = _entries[move.Vm];
        entry.RetryAt = now + _retryDelay;
        entry.NotBegunSince ??= now;
        entry.Report = entry.Report with { State = DrainedVmState.Waiting, Destination = null, Operation = null, Attempts = entry.Report.Attempts - 1, Reason = reason };
    }

    /// <summary>A migration has ended.</summary>
    public void Ended(MigrationResult result, DateTimeOffset now)
    {
        var entry = _entries[result.Vm];
        entry.NotBegunSince = null;
        if (result.RunsOn != _plan.Host)
        {
            // One that does not run where it is now has been moved, and is nevertheless nothing to be content with.
            entry.Report = entry.Report with
            {
                State = result.Outcome == OperationOutcome.Succeeded ? DrainedVmState.Moved : DrainedVmState.Failed,
                Destination = result.RunsOn,
                TotalMs = result.TotalMs,
                PauseMs = result.PauseMs,
                Reason = result.Reason,
            };
            return;
        }

        var destination = result.To;
        var isRefused = result.ErrorCode is FabricErrorCode.Refused or FabricErrorCode.Unsupported or FabricErrorCode.NoCapacity;
        entry.Failures[destination] = entry.Failures.GetValueOrDefault(destination) + (isRefused ? MaxAttemptsPerDestination : 1);
        entry.RetryAt = now + (_retryDelay * entry.Report.Attempts);
        entry.Report = entry.Report with { State = DrainedVmState.Waiting, Destination = null, Reason = $"to {destination}: {result.Reason}" };

        // Somebody wants this one to stay.
        if (result.Outcome == OperationOutcome.Cancelled && !IsEnding(now)) entry.Report = entry.Report with { State = DrainedVmState.Failed, Reason = "its migration was cancelled" };
    }

    /// <summary>Whether nothing is under way and nothing will be; what is left then has its reason.</summary>
    public bool TryFinish(DrainView view, DateTimeOffset now)
    {
        var waiting = _entries.Values.Where(entry => entry.Report.State == DrainedVmState.Waiting).ToList();
        if (_entries.Values.Any(entry => IsMoving(entry.Report))) return false;
        if (IsEnding(now))
        {
            var reason = IsCancelRequested ? "the drain was cancelled" : "the drain's deadline passed";
            foreach (var entry in waiting)
                entry.Report = entry.Report with { State = DrainedVmState.Stayed, Reason = entry.Report.Reason is { } why ? $"{reason}; before that, {why}" : reason };
            return true;
        }

        if (now - _silentSince > Patience)
        {
            foreach (var entry in waiting) GiveUp(entry, $"host '{_plan.Host}' does not answer");
            return true;
        }

        if (!view.CanLeave || view.IsExpecting) return false;
        var free = FreeBytes(view);
        if (waiting.Any(entry => entry.Obstacle is not null ? !(now - entry.ObstructedSince > Patience) : !IsSpent(entry, now) && (now < entry.RetryAt || Choose(entry, free) is not null)))
            return false;
        foreach (var entry in waiting)
        {
            if (entry.Obstacle is { } obstacle) GiveUp(entry, obstacle);
            else if (entry.Report.Reason is { } reason) GiveUp(entry, reason);
            else entry.Report = entry.Report with { State = DrainedVmState.NoRoom, Reason = NoRoom(entry, free) };
        }

        return true;
    }

    private static void GiveUp(Entry entry, string reason) => entry.Report = entry.Report with { State = DrainedVmState.Failed, Destination = null, Reason = reason };

    private static bool IsMoving(DrainedVm vm) => vm.State == DrainedVmState.Moving;

    private static DrainMove ToMove(DrainedVm vm) => new(vm.Vm, vm.Destination!, vm.Operation!);

    private static bool IsReady(Entry entry, DateTimeOffset now) =>
        entry is { Report.State: DrainedVmState.Waiting, Obstacle: null } && now >= entry.RetryAt && !IsSpent(entry, now);

    private static bool IsSpent(Entry entry, DateTimeOffset now) => entry.Report.Attempts >= MaxAttempts || now - entry.NotBegunSince > Patience;

    /// <summary>What is free once everything that is under way has arrived.</summary>
    private Dictionary<string, long> FreeBytes(DrainView view)
    {
        var free = view.FreeBytes.ToDictionary();
        foreach (var entry in _entries.Values.Where(entry => IsMoving(entry.Report) && free.ContainsKey(entry.Report.Destination!)))
            free[entry.Report.Destination!] -= Need(entry);
        return free;
    }

    private static long Need(Entry entry) => entry.IsRunning ? entry.MemoryBytes : 0;

    /// <summary>The host with most room among those that have failed least often.</summary>
    private static string? Choose(Entry entry, Dictionary<string, long> free) => free
        .Where(host => host.Value >= Need(entry) && entry.Failures.GetValueOrDefault(host.Key) < MaxAttemptsPerDestination)
        .OrderBy(host => entry.Failures.GetValueOrDefault(host.Key)).ThenByDescending(host => host.Value).ThenBy(host => host.Key, StringComparer.Ordinal)
        .Select(host => host.Key).FirstOrDefault();

    private static string NoRoom(Entry entry, Dictionary<string, long> free) => free.Count == 0
        ? "no other host is open to it"
        : $"it needs {entry.MemoryBytes >> 20} MiB of guest memory, and no open host has more than {Math.Max(0, free.Values.Max()) >> 20} MiB free";

    private string OperationId(string vm, int attempt)
    {
        var readable = $"{_plan.Operation}-{vm}-{attempt}";
        return readable.Length <= MaxOperationIdLength
            ? readable
            : $"op-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(readable)))[..24]}";
    }
}
