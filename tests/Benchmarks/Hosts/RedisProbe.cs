using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Benchmarks.Hosts;

/// <summary>Waits for the first PING that a Redis answers.</summary>
internal static class RedisProbe
{
    // Much less than the second after which Linux sends a lost SYN again: a new attempt takes the place of one that was lost before anybody listened.
    private static readonly TimeSpan _attempt = TimeSpan.FromMilliseconds(500);

    /// <summary>Has the client know the guest's hardware address, so that it does not ask for it only once a second while nobody answers.</summary>
    public static Task KnowAsync(IPAddress address, string mac) =>
        Command.RunCheckedAsync("ip", ["neigh", "replace", address.ToString(), "lladdr", mac, "dev", "uplink", "nud", "permanent"]);

    /// <summary>Tries at every interval, whatever became of the attempts before.</summary>
    /// <returns>The moment of the answer, a <see cref="Stopwatch"/> timestamp.</returns>
    public static async Task<long> WaitAsync(IPEndPoint redis, TimeSpan interval, TimeSpan deadline, CancellationToken cancellationToken)
    {
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        done.CancelAfter(deadline);
        var answered = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var attempts = new List<Task>();
        try
        {
            while (!answered.Task.IsCompleted)
            {
                if (done.IsCancellationRequested)
                    throw new InvalidOperationException($"Redis at {redis} did not answer within {deadline.TotalSeconds:0} s.");
                attempts.RemoveAll(static attempt => attempt.IsCompleted);
                attempts.Add(AttemptAsync(redis, answered, done.Token));
                await Task.WhenAny(answered.Task, Task.Delay(interval, CancellationToken.None));
            }
            return await answered.Task;
        }
        finally
        {
            await done.CancelAsync();
            await Task.WhenAll(attempts);
        }
    }

    private static async Task AttemptAsync(IPEndPoint redis, TaskCompletionSource<long> answered, CancellationToken done)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(done);
        limit.CancelAfter(_attempt);
        try
        {
            using var socket = new Socket(redis.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(redis, limit.Token);
            await socket.SendAsync("PING\r\n"u8.ToArray(), limit.Token);
            var answer = new byte[16];
            if (await socket.ReceiveAsync(answer, limit.Token) > 0 && answer.AsSpan().StartsWith("+PONG"u8)) answered.TrySetResult(Stopwatch.GetTimestamp());
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // The next attempt is on its way.
        }
    }
}
