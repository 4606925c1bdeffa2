using System.Text;
using Architekt.Agent.Calls;
using Architekt.AgentProtocol;
using CsCheck;

namespace Architekt.Agent.Tests.Calls;

public sealed class CallDispatcherTests
{
    private const long Now = 1_800_000_000_000_000_000;
    private const long Millisecond = 1_000_000;

    private readonly FakeKernel _kernel = new() { RealTimeNanoseconds = Now };

    [Fact]
    public void Answer_Ping_TellsTheVersion()
    {
        var reply = Answer("""{"id":3,"call":"ping"}""");

        Assert.Equal((3L, true, "1"), (reply.Id, reply.Ok, reply.Version));
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("[1]")]
    [InlineData("null")]
    [InlineData("{\"id\":1")]
    [InlineData("{\"id\":\"x\",\"call\":\"ping\"}")]
    [InlineData("{\"id\":1.5,\"call\":\"ping\"}")]
    [InlineData("{\"call\":\"ping\"}")]
    public void Answer_Garbage_IsABadRequestWithoutId(string line)
    {
        var reply = Answer(line);

        Assert.Equal((null, false, AgentErrorCodes.BadRequest), (reply.Id, reply.Ok, reply.Code));
    }

    [Fact]
    public void Answer_AnyBytes_GivesAReply() =>
        Gen.Byte.Array[0, 100].Sample(bytes => Assert.False(new CallDispatcher(new CallOptions(), _kernel, new FakeIdentity(), TimeProvider.System).Answer(bytes).Ok));

    [Theory]
    [InlineData("""{"id":1}""")]
    [InlineData("""{"id":1,"call":"beforeSuspend","timeoutMs":0}""")]
    [InlineData("""{"id":1,"call":"afterResume","unixTimeNanoseconds":-5}""")]
    [InlineData("""{"id":1,"call":"afterResume","entropy":"not base64"}""")]
    public void Answer_WrongField_IsABadRequestWithItsId(string line)
    {
        var reply = Answer(line);

        Assert.Equal((1L, AgentErrorCodes.BadRequest), (reply.Id, reply.Code));
    }

    [Fact]
    public void Answer_TooMuchEntropy_IsABadRequest() =>
        Assert.Equal(AgentErrorCodes.BadRequest, Answer($$"""{"id":1,"call":"afterResume","entropy":"{{Convert.ToBase64String(new byte[65])}}"}""").Code);

    [Fact]
    public void Answer_UnknownCall_SaysWhatThereIs()
    {
        var reply = Answer("""{"id":7,"call":"shutdown","unknownField":[1,2]}""");

        Assert.Equal((7L, AgentErrorCodes.UnknownCall), (reply.Id, reply.Code));
        Assert.Contains("beforeSuspend", reply.Error);
    }

    [Fact]
    public void Answer_BeforeSuspendWithoutHook_IsFine() => Assert.True(Answer("""{"id":1,"call":"beforeSuspend"}""").Ok);

    [Fact]
    public void Answer_BeforeSuspendHookSaysNo_IsAVetoWithItsReason()
    {
        var reply = Answer("""{"id":1,"call":"beforeSuspend"}""", new CallOptions { BeforeSuspend = "echo busy; echo not now >&2; exit 3" });

        Assert.Equal((false, AgentErrorCodes.Veto, "busy"), (reply.Ok, reply.Code, reply.Output));
        Assert.EndsWith("exited with 3: not now", reply.Error);
    }

    [Fact]
    public void Answer_HostAllowsLessTime_TheHookIsKilledThen()
    {
        var reply = Answer("""{"id":1,"call":"beforeSuspend","timeoutMs":100}""", new CallOptions { BeforeSuspend = "sleep 60" });

        Assert.Equal(AgentErrorCodes.HookTimeout, reply.Code);
        Assert.Contains("within 100 ms", reply.Error);
        Assert.InRange(reply.ElapsedMs, 100, 30_000);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(49, false)]
    [InlineData(-49, false)]
    [InlineData(51, true)]
    [InlineData(-51, true)]
    public void Answer_AfterResume_SetsTheClockOnlyWhenItIsOff(int offMs, bool set)
    {
        _kernel.RealTimeNanoseconds = Now + (offMs * Millisecond);

        var reply = Answer($$"""{"id":1,"call":"afterResume","unixTimeNanoseconds":{{Now}}}""");

        Assert.Equal((true, set, offMs * Millisecond), (reply.Ok, reply.ClockSet, reply.ClockOffsetNanoseconds));
        Assert.Equal(set ? Now : Now + (offMs * Millisecond), _kernel.RealTimeNanoseconds);
    }

    [Fact]
    public void Answer_AfterResume_TheHookRunsWithClockAndEntropyInPlace()
    {
        _kernel.RealTimeNanoseconds = 0;

        var reply = Answer(
            $$"""{"id":1,"call":"afterResume","unixTimeNanoseconds":{{Now}},"entropy":"AQID"}""", new CallOptions { AfterResume = "echo $ARCHITEKT_CALL" });

        Assert.True(reply.Ok);
        Assert.Equal("afterResume", reply.Output);
        Assert.Equal([1, 2, 3], _kernel.Entropy);
        Assert.Equal(Now, _kernel.RealTimeNanoseconds);
    }

    [Fact]
    public void Answer_ClockCannotBeSet_TheRestIsDoneAndAllProblemsAreTold()
    {
        var kernel = new FakeKernel { Refusal = "Cannot set the clock: no." };

        var reply = Parse(new CallDispatcher(new CallOptions { AfterResume = "exit 4" }, kernel, new FakeIdentity(), TimeProvider.System)
            .Answer(Encoding.UTF8.GetBytes($$"""{"id":1,"call":"afterResume","unixTimeNanoseconds":{{Now}},"entropy":"AQID"}""")));

        Assert.Equal((false, AgentErrorCodes.Failed, false), (reply.Ok, reply.Code, reply.ClockSet));
        Assert.StartsWith("Cannot set the clock: no.", reply.Error);
        Assert.EndsWith("exited with 4.", reply.Error);
        Assert.NotNull(kernel.Entropy);
    }

    private AgentReply Answer(string line, CallOptions? options = null) =>
        Parse(new CallDispatcher(options ?? new CallOptions(), _kernel, new FakeIdentity(), TimeProvider.System).Answer(Encoding.UTF8.GetBytes(line)));

    /// <summary>What the host makes of it, through the bytes.</summary>
    private static AgentReply Parse(AgentReply reply) => System.Text.Json.JsonSerializer.Deserialize(
        System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(reply, AgentJsonContext.Default.AgentReply), AgentJsonContext.Default.AgentReply)!;
}
