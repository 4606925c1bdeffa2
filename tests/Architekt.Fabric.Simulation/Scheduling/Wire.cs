using Architekt.Fabric.Simulation.Histories;

namespace Architekt.Fabric.Simulation.Scheduling;

/// <summary>Carries calls from one process to another, and sees to it that they are lost, late, or never answered.</summary>
internal sealed class Wire(Scheduler scheduler, Action<Point> carriedOut)
{
    public Task<T> CallAsync<T>(
        Route route, Point point, Fate fate, SimProcess from, Func<SimProcess?> target, Func<Task<T>> body, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<T>(cancellationToken);
        var call = new Call<T>(this, route, point, fate, from, target, body);
        if (cancellationToken.CanBeCanceled) call.Watch(cancellationToken);
        call.Send();
        return call.Answered;
    }

    private sealed class Call<T>(Wire wire, Route route, Point point, Fate fate, SimProcess from, Func<SimProcess?> target, Func<Task<T>> body)
    {
        private readonly TaskCompletionSource<T> _answered = new();
        private readonly Scheduler _scheduler = wire.Scheduler;
        private SimProcess? _process;
        private LinkedListNode<Action>? _mourner;

        public Task<T> Answered => _answered.Task;

        public void Watch(CancellationToken cancellationToken) =>
            cancellationToken.Register(static (state, token) => ((TaskCompletionSource<T>)state!).TrySetCanceled(token), _answered);

        public void Send()
        {
            Trace(fate.LosesRequest ? "is lost" : fate.RequestDelay > 0 ? "is sent and late" : null);
            if (route.Timeout > 0) _scheduler.After(route.Timeout, from, TimeOut);
            if (!fate.LosesRequest) _scheduler.After(UnderWay() + fate.RequestDelay, null, Arrive);
        }

        private void Arrive()
        {
            _process = target();
            if (_process is not { IsAlive: true })
            {
                Fail();
                return;
            }

            _mourner = _process.WhenKilled(Fail);
            _process.Run(static state => _ = ((Call<T>)state!).CarryOutAsync(), this);
        }

        private async Task CarryOutAsync()
        {
            try
            {
                var result = await body();
                wire.CarriedOut(point);
                Trace(fate.LosesAnswer ? "is done, its answer is lost" : fate.AnswerDelay > 0 ? "is done, its answer is late" : "is done");
                if (!fate.LosesAnswer) _scheduler.After(UnderWay() + fate.AnswerDelay, from, () => Answer().TrySetResult(result));
            }
            catch (Exception error)
            {
                if (_scheduler.Trace.IsOn) Trace($"fails: {error.Message}");
                if (!fate.LosesAnswer) _scheduler.After(UnderWay() + fate.AnswerDelay, from, () => Answer().TrySetException(error));
            }
        }

        private TaskCompletionSource<T> Answer()
        {
            _process!.Forget(_mourner!);
            return _answered;
        }

        private void Fail()
        {
            if (!_answered.Task.IsCompleted) _scheduler.After(_scheduler.Pick(0, route.Notice) + 1, from, () => _answered.TrySetException(route.Broken(point)));
        }

        private void TimeOut()
        {
            if (_answered.Task.IsCompleted) return;
            Trace("is not answered in time");
            _answered.TrySetException(route.TimedOut(point));
        }

        private long UnderWay() => _scheduler.Pick(route.Latency, route.Latency * 3);

        private void Trace(string? what)
        {
            if (_scheduler.Trace.IsOn && what is not null) _scheduler.Trace.Write(_scheduler.Now, $"{point} of {from.Name} {what}");
        }
    }

    private Scheduler Scheduler => scheduler;

    private void CarriedOut(Point point) => carriedOut(point);
}
