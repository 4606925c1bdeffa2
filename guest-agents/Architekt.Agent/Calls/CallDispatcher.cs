using System.Text.Json;
using Architekt.Agent.Hooks;
using Architekt.AgentProtocol;

namespace Architekt.Agent.Calls;

/// <summary>Turns a line from the host into what it asks for, and its outcome into the reply.</summary>
internal sealed class CallDispatcher(CallOptions options, IGuestKernel kernel, TimeProvider time)
{
    /// <summary>The answer to a line that does not fit.</summary>
    internal static AgentReply LineTooLong() => BadRequest(null, $"The line is longer than {AgentLimits.MaxLineBytes} bytes.");

    /// <summary>Does what one line asks for.</summary>
    internal AgentReply Answer(ReadOnlySpan<byte> line)
    {
        var start = time.GetTimestamp();
        return Dispatch(line) with { ElapsedMs = (long)time.GetElapsedTime(start).TotalMilliseconds };
    }

    private AgentReply Dispatch(ReadOnlySpan<byte> line)
    {
        AgentRequest? request;
        try
        {
            request = JsonSerializer.Deserialize(line, AgentJsonContext.Default.AgentRequest);
        }
        catch (JsonException error)
        {
            return BadRequest(null, $"The line is not a request: {error.Message}");
        }

        if (request is null)
            return BadRequest(null, "The line is not a request: null is not an object.");
        if (request.Id is null)
            return BadRequest(null, "The request has no id.");
        if (request.TimeoutMs is <= 0)
            return BadRequest(request.Id, $"timeoutMs must be positive, not {request.TimeoutMs}.");
        return request.Call switch
        {
            AgentCalls.Ping => new AgentReply { Id = request.Id, Ok = true, Version = AgentLimits.ProtocolVersion },
            AgentCalls.BeforeSuspend => BeforeSuspend(request),
            AgentCalls.AfterResume => AfterResume(request),
            null => BadRequest(request.Id, "The request names no call."),
            _ => new AgentReply
            {
                Id = request.Id,
                Code = AgentErrorCodes.UnknownCall,
                Error = $"Unknown call '{request.Call}'. Protocol version {AgentLimits.ProtocolVersion} has "
                    + $"{AgentCalls.BeforeSuspend}, {AgentCalls.AfterResume} and {AgentCalls.Ping}.",
            },
        };
    }

    private AgentReply BeforeSuspend(AgentRequest request) =>
        RunHook(request, options.BeforeSuspend, AgentErrorCodes.Veto, new AgentReply { Id = request.Id, Ok = true });

    private AgentReply AfterResume(AgentRequest request)
    {
        var entropy = new byte[AgentLimits.MaxEntropyBytes];
        var entropyLength = 0;
        if (request.Entropy is { } text && !Convert.TryFromBase64String(text, entropy, out entropyLength))
            return BadRequest(request.Id, $"entropy must be base64 of at most {AgentLimits.MaxEntropyBytes} bytes.");
        if (request.UnixTimeNanoseconds is <= 0)
            return BadRequest(request.Id, $"unixTimeNanoseconds must be positive, not {request.UnixTimeNanoseconds}.");

        // One step that fails does not keep the guest from the others: it runs already, and each of them makes it better.
        var problems = new List<string>();
        var reply = new AgentReply { Id = request.Id, Ok = true };
        if (request.UnixTimeNanoseconds is { } hostTime)
            reply = SetClock(reply, hostTime, problems);
        if (entropyLength > 0 && kernel.AddEntropy(entropy.AsSpan(0, entropyLength)) is { } refusal)
            problems.Add(refusal);
        reply = RunHook(request, options.AfterResume, AgentErrorCodes.Failed, reply);
        if (problems.Count == 0)
            return reply;
        if (reply.Error is { } hookError)
            problems.Add(hookError);
        return reply with { Ok = false, Code = reply.Code ?? AgentErrorCodes.Failed, Error = string.Join(" ", problems) };
    }

    private AgentReply SetClock(AgentReply reply, long hostTime, List<string> problems)
    {
        var offset = kernel.RealTimeNanoseconds - hostTime;
        reply = reply with { ClockOffsetNanoseconds = offset, ClockSet = false };
        if (Math.Abs((double)offset) < options.ClockThreshold.TotalNanoseconds)
            return reply;
        if (kernel.SetRealTime(hostTime) is not { } refusal)
            return reply with { ClockSet = true };
        problems.Add(refusal);
        return reply;
    }

    private AgentReply RunHook(AgentRequest request, string? command, string refusedCode, AgentReply reply)
    {
        if (command is null)
            return reply;
        var timeout = options.HookTimeout;
        if (request.TimeoutMs is { } asked && asked < timeout.TotalMilliseconds)
            timeout = TimeSpan.FromMilliseconds(asked);
        var result = HookRunner.Run(command, request.Call!, timeout);
        reply = reply with { Output = result.Output.Length == 0 ? null : result.Output };
        return result.Outcome switch
        {
            HookOutcome.Exited when result.ExitCode == 0 => reply,
            HookOutcome.Exited => reply with { Ok = false, Code = refusedCode, Error = $"The hook '{command}' exited with {result.ExitCode}{Colon(result.Error)}" },
            HookOutcome.TimedOut => reply with
            {
                Ok = false,
                Code = AgentErrorCodes.HookTimeout,
                Error = $"The hook '{command}' did not end within {timeout.TotalMilliseconds:0} ms and was killed{Colon(result.Error)}",
            },
            _ => reply with { Ok = false, Code = AgentErrorCodes.Failed, Error = $"The hook '{command}' could not be started{Colon(result.Error)}" },
        };
    }

    private static string Colon(string detail) => detail.Length == 0 ? "." : $": {detail}";

    private static AgentReply BadRequest(long? id, string error) => new() { Id = id, Code = AgentErrorCodes.BadRequest, Error = error };
}
