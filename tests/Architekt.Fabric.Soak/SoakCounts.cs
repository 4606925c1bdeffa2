using System.Globalization;

namespace Architekt.Fabric.Soak;

/// <summary>What has happened so far.</summary>
internal sealed class SoakCounts
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, int> _faults = new(StringComparer.Ordinal);
    private readonly Dictionary<OperationOutcome, int> _migrations = [];
    private readonly List<double> _pauses = [];
    private readonly List<string> _violations = [];
    private int _refused;
    private int _guestsEnded;
    private long _writes;
    private long _lost;

    public bool IsClean
    {
        get { lock (_lock) return _violations.Count == 0 && _lost == 0 && Of(OperationOutcome.Succeeded) > 0; }
    }

    public void Migration(MigrationResult result)
    {
        lock (_lock)
        {
            _migrations[result.Outcome] = Of(result.Outcome) + 1;
            if (result is { Outcome: OperationOutcome.Succeeded, PauseMs: { } pause }) _pauses.Add(pause);
        }
    }

    /// <summary>One that was not even begun, because of what is being done to the fabric.</summary>
    public void Refused()
    {
        lock (_lock) _refused++;
    }

    public void Fault(string name)
    {
        lock (_lock) _faults[name] = _faults.GetValueOrDefault(name) + 1;
    }

    /// <summary>A fault has ended a guest, as it was meant to.</summary>
    public void GuestEnded()
    {
        lock (_lock) _guestsEnded++;
    }

    public void Load(long writes, long lost)
    {
        lock (_lock)
        {
            _writes += writes;
            _lost += lost;
        }
    }

    public void Violation(string what)
    {
        lock (_lock) _violations.Add(what);
        Console.WriteLine($"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff}  VIOLATION  {what}");
    }

    public string Describe()
    {
        lock (_lock)
        {
            var faults = string.Join(", ", _faults.Select(static fault => $"{fault.Value} {fault.Key}"));
            return $"faults: {faults}; migrations: {Of(OperationOutcome.Succeeded)} succeeded, {Of(OperationOutcome.Failed)} failed, {Of(OperationOutcome.Cancelled)} cancelled, "
                + $"{_refused} not begun; {_guestsEnded} guests ended by a fault; {_writes} acknowledged writes";
        }
    }

    public override string ToString()
    {
        lock (_lock)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{_migrations.Values.Sum()} migrations, {_faults.Values.Sum()} faults, {_violations.Count} violations, {_lost} lost writes, pause p50 {Percentile(50):0.0} ms, p99 {Percentile(99):0.0} ms");
        }
    }

    private int Of(OperationOutcome outcome) => _migrations.GetValueOrDefault(outcome);

    /// <summary>The nearest rank.</summary>
    private double Percentile(int percent)
    {
        if (_pauses.Count == 0) return double.NaN;
        _pauses.Sort();
        return _pauses[(int)Math.Ceiling(percent / 100.0 * _pauses.Count) - 1];
    }
}
