using System.Collections.Concurrent;

namespace Architekt.Fabric.Grains.Tests.Fakes;

/// <summary>One call on a fake, as a script sees it.</summary>
internal sealed record Call(string Where, string Vm, int Attempt, CancellationToken Cancelled);

/// <summary>
/// Everything outside the grains, shared by all silos of a cluster: what was done to each VM in order, what tests have scripted, and who
/// runs. That nobody runs before the commit and never two at once is checked at every step of every test.
/// </summary>
internal sealed class FakeWorld
{
    private readonly ConcurrentDictionary<(string Vm, string Method), Func<Call, Task<object?>>> _scripts = new();
    private readonly ConcurrentDictionary<(string Vm, string Method), int> _attempts = new();
    private readonly List<(string Vm, string Entry)> _journal = [];
    private readonly Dictionary<string, HashSet<string>> _running = [];
    private readonly Dictionary<string, TaskCompletionSource> _handedOver = [];
    private readonly List<string> _violations = [];
    private readonly Lock _lock = new();

    public FakeWorld() => Database = new FakeDatabase(this);

    public FakeDatabase Database { get; }

    public FakePackages Packages { get; } = new();

    public IReadOnlyList<string> Violations
    {
        get { lock (_lock) return [.. _violations]; }
    }

    public void Script(string vm, string method, Func<Call, Task<object?>> script) => _scripts[(vm, method)] = script;

    public void Throw(string vm, string method, Exception error, int times = int.MaxValue) =>
        Script(vm, method, call => call.Attempt <= times ? Task.FromException<object?>(error) : Task.FromResult<object?>(null));

    public void Return(string vm, string method, object result, int times = int.MaxValue) =>
        Script(vm, method, call => Task.FromResult(call.Attempt <= times ? result : null));

    public Gate Hold(string vm, string method)
    {
        var gate = new Gate();
        Script(vm, method, async call =>
        {
            await gate.PassAsync(call.Cancelled);
            return null;
        });
        return gate;
    }

    /// <summary>What was done to a VM: <c>host-a:Switch</c>, <c>db:Commit</c>, <c>db:Phase Copy</c>.</summary>
    public IReadOnlyList<string> Journal(string vm)
    {
        lock (_lock) return [.. _journal.Where(entry => entry.Vm == vm).Select(entry => entry.Entry)];
    }

    public IReadOnlyList<string> RunningOn(string vm)
    {
        lock (_lock) return _running.TryGetValue(vm, out var hosts) ? [.. hosts] : [];
    }

    public void Write(string vm, string entry)
    {
        lock (_lock) _journal.Add((vm, entry));
    }

    /// <summary>Records a call and plays its script; the script's result, or null if the fake is to behave.</summary>
    public async Task<object?> CallAsync(string where, string method, string vm, CancellationToken cancellationToken)
    {
        Write(vm, $"{where}:{method}");
        var attempt = _attempts.AddOrUpdate((vm, method), 1, static (_, count) => count + 1);
        return _scripts.TryGetValue((vm, method), out var script) ? await script(new Call(where, vm, attempt, cancellationToken)) : null;
    }

    public void Runs(string vm, string host, bool runs)
    {
        lock (_lock)
        {
            if (!_running.TryGetValue(vm, out var hosts)) _running[vm] = hosts = [];
            if (!runs)
            {
                hosts.Remove(host);
                return;
            }

            if (Database.OwnerOf(vm) is { } owner && owner != host) _violations.Add($"'{vm}' runs on '{host}' although '{owner}' owns it");
            hosts.Add(host);
            if (hosts.Count > 1) _violations.Add($"'{vm}' runs on {string.Join(" and ", hosts)}");
        }
    }

    /// <summary>Completes when the source has handed the device state of a migration over.</summary>
    public TaskCompletionSource HandedOver(string operation)
    {
        lock (_lock)
        {
            if (!_handedOver.TryGetValue(operation, out var handed))
                _handedOver[operation] = handed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return handed;
        }
    }
}
