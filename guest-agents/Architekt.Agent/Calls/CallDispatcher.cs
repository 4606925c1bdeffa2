using System.Text.Json;
using Architekt.Agent.Hooks;
using Architekt.AgentProtocol;

namespace Architekt.Agent.Calls;

/// <summary>Turns a line from the host into what it asks for, and its outcome into the reply.</summary>
internal sealed class CallDispatcher(CallOptions options, IGuestKernel kernel, IGuestIdentity identity, TimeProvider time)
{
    private static readonly string NoEntropy = $"entropy must be base64 of at most {AgentLimits.MaxEntropyBytes} bytes.";

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
            AgentCalls.Identity => TakeIdentity(request),
            null => BadRequest(request.Id, "The request names no call."),
            _ => new AgentReply
            {
                Id = request.Id,
                Code = AgentErrorCodes.UnknownCall,
                Error = $"Unknown call '{request.Call}'. Protocol version {AgentLimits.ProtocolVersion} has "
                    + $"{AgentCalls.BeforeSuspend}, {AgentCalls.AfterResume}, {AgentCalls.Identity} and {AgentCalls.Ping}.",
            },
        };
    }

    private AgentReply BeforeSuspend(AgentRequest request) =>
        RunHook(request, options.BeforeSuspend, AgentErrorCodes.Veto, new AgentReply { Id = request.Id, Ok = true });

    private AgentReply TakeIdentity(AgentRequest request)
    {
        if (!TryReadEntropy(request, out var entropy))
            return BadRequest(request.Id, NoEntropy);
        if (NewIdentity.Parse(request, out var wrong) is not { } wanted)
            return BadRequest(request.Id, wrong!);
        if (request.UnixTimeNanoseconds is <= 0)
            return WrongTime(request);

        // Entropy first: whatever the guest makes up from now on is its own. A step that fails does not keep it from the others.
        var problems = new List<string>();
        var reply = new AgentReply { Id = request.Id, Ok = true };
        if (entropy.Length > 0 && kernel.AddEntropy(entropy) is { } refusal)
            problems.Add(refusal);
        if (request.UnixTimeNanoseconds is { } hostTime)
            reply = SetClock(reply, hostTime, problems);
        if (wanted.Hostname is { } hostname)
            Note(problems, identity.SetHostname(hostname));
        if (wanted.MachineId is { } machineId)
            Note(problems, identity.SetMachineId(machineId));
        if (wanted.HasNetwork)
            Note(problems, identity.SetNetwork(wanted));
        return problems.Count == 0 ? reply : reply with { Ok = false, Code = AgentErrorCodes.Failed, Error = string.Join(" ", problems) };
    }

    private static void Note(List<string> problems, string? problem)
    {
        if (problem is not null)
            problems.Add(problem);
    }

    private static bool TryReadEntropy(AgentRequest request, out ReadOnlySpan<byte> entropy)
    {
        var bytes = new byte[AgentLimits.MaxEntropyBytes];
        var length = 0;
        var isRead = request.Entropy is not { } text || Convert.TryFromBase64String(text, bytes, out length);
        entropy = bytes.AsSpan(0, length);
        return isRead;
    }

    private AgentReply AfterResume(AgentRequest request)
    {
        if (!TryReadEntropy(request, out var entropy))
            return BadRequest(request.Id, NoEntropy);
        if (request.UnixTimeNanoseconds is <= 0)
            return WrongTime(request);

        // One step that fails does not keep the guest from the others: it runs already, and each of them makes it better.
        var problems = new List<string>();
        var reply = new AgentReply { Id = request.Id, Ok = true };
        if (request.UnixTimeNanoseconds is { } hostTime)
            reply = SetClock(reply, hostTime, problems);
        if (entropy.Length > 0 && kernel.AddEntropy(entropy) is { } refusal)
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

    private static AgentReply WrongTime(AgentRequest request) =>
        BadRequest(request.Id, $"unixTimeNanoseconds must be positive, not {request.UnixTimeNanoseconds}.");

    private static AgentReply BadRequest(long? id, string error) => new() { Id = id, Code = AgentErrorCodes.BadRequest, Error = error };
}
