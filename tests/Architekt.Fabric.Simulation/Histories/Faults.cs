using Architekt.Fabric.Simulation.Scheduling;

namespace Architekt.Fabric.Simulation.Histories;

/// <summary>What is wrong at the moment, and what is to go wrong upon which message.</summary>
internal sealed class Faults(Scheduler scheduler, Action<Happening> happen)
{
    /// <summary>Number of Postgres among the nodes; hosts come before it.</summary>
    public const int Postgres = 3;

    private const int Nodes = 4;
    private readonly long[,] _cutUntil = new long[Nodes, Nodes];
    private readonly long[,] _disturbedUntil = new long[Nodes, Nodes];
    private readonly int[] _sent = new int[(int)Point.Other + 1];
    private readonly int[] _done = new int[(int)Point.Other + 1];
    private readonly List<Happening> _waiting = [];
    private long _slowUntil;
    private bool _isHealed;

    /// <summary>How many happenings are certain and have not happened yet.</summary>
    public int Pending { get; private set; }

    /// <summary>Until when Orleans' directory is of two minds.</summary>
    public long SplitUntil { get; set; }

    /// <summary>When the last message that is late will have arrived.</summary>
    public long LastLate { get; private set; }

    public void Await(Happening happening) => _waiting.Add(happening);

    public void Cut(int a, int b, long duration) => _cutUntil[a, b] = _cutUntil[b, a] = scheduler.Now + duration;

    public void Disturb(int a, int b, long duration) => _disturbedUntil[a, b] = _disturbedUntil[b, a] = scheduler.Now + duration;

    public void SlowPostgres(long duration) => _slowUntil = scheduler.Now + duration;

    public bool IsCut(int a, int b) => _cutUntil[a, b] > scheduler.Now;

    /// <summary>Nothing goes wrong any more; what is under way stays late.</summary>
    public void Heal()
    {
        Array.Clear(_cutUntil);
        Array.Clear(_disturbedUntil);
        _waiting.Clear();
        _slowUntil = SplitUntil = 0;
        _isHealed = true;
    }

    /// <summary>A message is sent: what becomes of it.</summary>
    public Fate Send(Point point, int from, int to)
    {
        var fate = default(Fate);
        if (from != to)
        {
            if (IsCut(from, to)) fate = fate with { LosesRequest = true };
            if (_disturbedUntil[from, to] > scheduler.Now) fate = Disturbed();
        }

        if (to == Postgres && _slowUntil > scheduler.Now)
            fate = fate with { RequestDelay = scheduler.Pick(0, 3_000_000), AnswerDelay = scheduler.Pick(0, 3_000_000) };

        var occurrence = ++_sent[(int)point];
        for (var i = 0; i < _waiting.Count; i++)
        {
            var happening = _waiting[i];
            if (happening.IsAfter || happening.At != point || happening.Occurrence != occurrence) continue;
            _waiting.RemoveAt(i--);
            Trace(happening);
            switch (happening.Kind)
            {
                case Kind.LoseRequest: fate = fate with { LosesRequest = true }; break;
                case Kind.LoseAnswer: fate = fate with { LosesAnswer = true }; break;
                case Kind.DelayRequest: fate = fate with { RequestDelay = happening.Duration }; break;
                case Kind.DelayAnswer: fate = fate with { AnswerDelay = happening.Duration }; break;
                default: HappenLater(happening); break;
            }
        }

        // Timeouts are shorter than the longest delays, so what is late may arrive when everybody has given up on it.
        var late = fate.RequestDelay + fate.AnswerDelay;
        if (late > 0 && !fate.LosesRequest) LastLate = Math.Max(LastLate, scheduler.Now + late);
        return fate;
    }

    /// <summary>A message was carried out and is not answered yet.</summary>
    public void CarriedOut(Point point)
    {
        var occurrence = ++_done[(int)point];
        for (var i = 0; i < _waiting.Count; i++)
        {
            var happening = _waiting[i];
            if (!happening.IsAfter || happening.At != point || happening.Occurrence != occurrence) continue;
            _waiting.RemoveAt(i--);
            Trace(happening);
            if (happening.Delay == 0) happen(happening);
            else HappenLater(happening);
        }
    }

    private void HappenLater(Happening happening)
    {
        Pending++;
        scheduler.After(happening.Delay, null, () =>
        {
            Pending--;
            if (!_isHealed) happen(happening);
        });
    }

    private Fate Disturbed() => scheduler.Pick(0, 8) switch
    {
        0 => new Fate(true, false, 0, 0),
        1 => new Fate(false, true, 0, 0),
        2 => new Fate(false, false, scheduler.Pick(1, 45_000_000), 0),
        3 => new Fate(false, false, 0, scheduler.Pick(1, 45_000_000)),
        _ => default,
    };

    private void Trace(Happening happening)
    {
        if (scheduler.Trace.IsOn) scheduler.Trace.Write(scheduler.Now, $"** {happening}");
    }
}
