using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Security.Cryptography;
using Architekt.AgentProtocol;

namespace Architekt.Fabric.Agents;

/// <summary>
/// The host's side of docs/agent-protocol.md: calls the agent in one guest over the socket of its port's character device
/// (QEMU's <c>-chardev socket,server=on,wait=off</c>; QEMU serves one connection at a time). Safe for concurrent use; the agent answers one call after the other.
/// </summary>
public sealed class AgentClient : IAsyncDisposable
{
    // So much of a call's time is left for the answer to travel, so that the guest gives up before the host does.
    private const double HookShare = 0.8;
    private const int EntropyBytes = 32;

    private readonly string _socketPath;
    private readonly AgentConnection _connection;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<long, TaskCompletionSource<AgentReply>> _pending = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly CancellationTokenSource _closed = new();
    private readonly Task _reading;

    // A guest may still hold the answer to a call of an earlier connection, so no two connections may use the same ids.
    private long _lastId = RandomNumberGenerator.GetInt32(int.MaxValue) * 1000L;

    private AgentClient(string socketPath, AgentConnection connection, TimeProvider time)
    {
        _socketPath = socketPath;
        _connection = connection;
        _time = time;
        _reading = ReadRepliesAsync();
    }

    /// <summary>Connects to an agent's port. That it succeeds says that QEMU runs; <see cref="PingAsync"/> says whether an agent does.</summary>
    /// <param name="socketPath">The socket of the agent port's character device.</param>
    /// <param name="cancellationToken">Bounds the wait.</param>
    /// <exception cref="AgentException"><see cref="AgentExceptionKind.Unreachable"/>.</exception>
    public static Task<AgentClient> ConnectAsync(string socketPath, CancellationToken cancellationToken) =>
        ConnectAsync(socketPath, TimeProvider.System, cancellationToken);

    /// <inheritdoc cref="ConnectAsync(string, CancellationToken)"/>
    /// <param name="socketPath">The socket of the agent port's character device.</param>
    /// <param name="time">Measures the timeouts.</param>
    /// <param name="cancellationToken">Bounds the wait.</param>
    public static async Task<AgentClient> ConnectAsync(string socketPath, TimeProvider time, CancellationToken cancellationToken) =>
        new(socketPath, await AgentConnection.OpenAsync(socketPath, cancellationToken), time);

    /// <summary>Asks whether an agent answers, and which protocol version it speaks (<see cref="AgentReply.Version"/>).</summary>
    /// <exception cref="AgentException">It does not.</exception>
    public Task<AgentReply> PingAsync(TimeSpan timeout, CancellationToken cancellationToken) =>
        CallAsync(new AgentRequest { Call = AgentCalls.Ping }, timeout, cancellationToken);

    /// <summary>Has the guest prepare for a pause.</summary>
    /// <param name="timeout">How long the whole call may take; the guest's hook gets four fifths of it.</param>
    /// <param name="cancellationToken">Ends the wait, not the hook.</param>
    /// <exception cref="AgentException">
    /// <see cref="AgentExceptionKind.Veto"/>, <see cref="AgentExceptionKind.HookTimeout"/>, <see cref="AgentExceptionKind.Unreachable"/>,
    /// <see cref="AgentExceptionKind.Timeout"/> and others. The guest may have prepared all the same: call <see cref="AfterResumeAsync"/>.
    /// </exception>
    public Task<AgentReply> BeforeSuspendAsync(TimeSpan timeout, CancellationToken cancellationToken) =>
        CallAsync(new AgentRequest { Call = AgentCalls.BeforeSuspend, TimeoutMs = HookTimeout(timeout) }, timeout, cancellationToken);

    /// <summary>Tells the guest that it runs again: sets its clock, gives it fresh entropy, runs its hook.</summary>
    /// <param name="now">The time it is now.</param>
    /// <param name="timeout">How long the whole call may take; the guest's hook gets four fifths of it.</param>
    /// <param name="cancellationToken">Ends the wait, not the hook.</param>
    /// <exception cref="AgentException">Any kind but <see cref="AgentExceptionKind.Veto"/>; the guest runs in any case.</exception>
    public Task<AgentReply> AfterResumeAsync(DateTimeOffset now, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var request = new AgentRequest
        {
            Call = AgentCalls.AfterResume,
            TimeoutMs = HookTimeout(timeout),
            UnixTimeNanoseconds = ToNanoseconds(now),
            Entropy = Convert.ToBase64String(RandomNumberGenerator.GetBytes(EntropyBytes)),
        };
        return CallAsync(request, timeout, cancellationToken);
    }

    /// <summary>Makes a guest that has resumed from a package another machine.</summary>
    /// <param name="identity">Who it is now. Fresh random bytes are added.</param>
    /// <param name="now">The time it is now.</param>
    /// <param name="timeout">How long the call may take.</param>
    /// <param name="cancellationToken">Ends the wait, not what the guest does.</param>
    /// <exception cref="AgentException">
    /// <see cref="AgentExceptionKind.Unsupported"/>: the guest's agent is older than the call and nothing was changed. <see cref="AgentExceptionKind.Failed"/>: part of it could not be
    /// changed. Others as ever.
    /// </exception>
    public Task<AgentReply> TakeIdentityAsync(AgentIdentity identity, DateTimeOffset now, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(identity);
        var request = new AgentRequest
        {
            Call = AgentCalls.Identity,
            UnixTimeNanoseconds = ToNanoseconds(now),
            Entropy = Convert.ToBase64String(RandomNumberGenerator.GetBytes(EntropyBytes)),
            Hostname = identity.Hostname,
            Mac = identity.Mac,
            Address = identity.Address,
            Gateway = identity.Gateway,
            MachineId = identity.MachineId,
        };
        return CallAsync(request, timeout, cancellationToken);
    }

    /// <summary>Leaves the agent; calls still waiting fail as <see cref="AgentExceptionKind.Unreachable"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();
        _connection.Dispose();
        await _reading;
    }

    private static long ToNanoseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;

    private static long HookTimeout(TimeSpan timeout) => Math.Max(1, (long)(timeout.TotalMilliseconds * HookShare));

    private async Task<AgentReply> CallAsync(AgentRequest request, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
        var id = Interlocked.Increment(ref _lastId);
        var answer = new TaskCompletionSource<AgentReply>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pending[id] = answer;
        using var deadline = new CancellationTokenSource(timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            // Reading may have ended before this call was entered in the list it empties.
            if (_closed.IsCancellationRequested)
                throw Unreachable(request.Call!);
            await SendAsync(request with { Id = id }, either.Token);
            var reply = await answer.Task.WaitAsync(either.Token);
            return reply.Ok ? reply : throw Refused(request.Call!, reply);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new AgentException(
                AgentExceptionKind.Timeout,
                $"The agent at {_socketPath} did not answer {request.Call} within {timeout.TotalSeconds:0.###} s: it does not run, it hangs, or its guest is stopped.");
        }
        finally
        {
            _pending.TryRemove(id, out _);
        }
    }

    private async Task SendAsync(AgentRequest request, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            await _connection.WriteAsync(request, AgentJsonContext.Default.AgentRequest, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Half a line may be out, and whatever came next would be read as the rest of it.
            _connection.Dispose();
            throw;
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            throw Unreachable(request.Call!, error);
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task ReadRepliesAsync()
    {
        try
        {
            while (await _connection.ReadAsync(AgentJsonContext.Default.AgentReply, _closed.Token) is { } reply)
            {
                // Without an id it is the greeting, or the answer to a line that was not ours.
                if (reply.Id is { } id && _pending.TryRemove(id, out var answer))
                    answer.TrySetResult(reply);
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed: the calls still waiting are told below.
        }

        await _closed.CancelAsync();
        foreach (var answer in _pending.Values)
            answer.TrySetException(Unreachable("the call"));
    }

    private AgentException Unreachable(string call, Exception? cause = null) =>
        new(AgentExceptionKind.Unreachable, $"The connection to the agent at {_socketPath} ended before it answered {call}.", cause: cause);

    private static AgentException Refused(string call, AgentReply reply)
    {
        var kind = reply.Code switch
        {
            AgentErrorCodes.Veto => AgentExceptionKind.Veto,
            AgentErrorCodes.HookTimeout => AgentExceptionKind.HookTimeout,
            AgentErrorCodes.UnknownCall or AgentErrorCodes.BadRequest => AgentExceptionKind.Unsupported,
            _ => AgentExceptionKind.Failed,
        };
        return new AgentException(kind, $"The guest's agent refused {call}: {reply.Error ?? "it gave no reason."}", reply);
    }
}
