using System.Text;
using Architekt.Agent.Calls;
using Architekt.AgentProtocol;

namespace Architekt.Agent.Tests.Calls;

public sealed class IdentityCallTests
{
    private readonly FakeKernel _kernel = new();
    private readonly FakeIdentity _identity = new();

    [Fact]
    public void Answer_WholeIdentity_IsTaken()
    {
        var reply = Answer(
            """
            {"id":1,"call":"identity","hostname":"redis-2","mac":"02:0a:0B:0c:0d:0e","address":"10.0.0.5/24","gateway":"10.0.0.1",
            "machineId":"0123456789abcdef0123456789abcdef","entropy":"AQID"}
            """.ReplaceLineEndings(""));

        Assert.True(reply.Ok, reply.Error);
        Assert.Equal(("redis-2", "0123456789abcdef0123456789abcdef"), (_identity.Hostname, _identity.MachineId));
        Assert.Equal([1, 2, 3], _kernel.Entropy);
        Assert.Equal([2, 10, 11, 12, 13, 14], _identity.Network!.Mac);
        Assert.Equal([10, 0, 0, 5], _identity.Network.Address);
        Assert.Equal(24, _identity.Network.PrefixBits);
        Assert.Equal([10, 0, 0, 1], _identity.Network.Gateway);
    }

    [Fact]
    public void Answer_WithTheTime_SetsTheClock()
    {
        var reply = Answer("""{"id":1,"call":"identity","unixTimeNanoseconds":1800000000000000000}""");

        Assert.True(reply.Ok, reply.Error);
        Assert.True(reply.ClockSet);
        Assert.Equal(1800000000000000000, _kernel.RealTimeNanoseconds);
    }

    [Fact]
    public void Answer_OnlyAName_TheRestStaysAsItIs()
    {
        Assert.True(Answer("""{"id":1,"call":"identity","hostname":"a"}""").Ok);

        Assert.Equal(("a", null, null), (_identity.Hostname, _identity.MachineId, _identity.Network));
        Assert.Null(_kernel.Entropy);
    }

    [Theory]
    [InlineData("hostname", "")]
    [InlineData("hostname", "a b")]
    [InlineData("hostname", "../../etc/passwd")]
    [InlineData("mac", "02:0a:0b:0c:0d")]
    [InlineData("mac", "01:0a:0b:0c:0d:0e")]
    [InlineData("mac", "02:0a:0b:0c:0d:+e")]
    [InlineData("address", "10.0.0.5")]
    [InlineData("address", "10.0.0.5/33")]
    [InlineData("address", "10.0.0.5/0")]
    [InlineData("address", "10.0.0/24")]
    [InlineData("address", "::1/64")]
    [InlineData("gateway", "gateway")]
    [InlineData("machineId", "0123456789ABCDEF0123456789ABCDEF")]
    [InlineData("machineId", "0123")]
    [InlineData("entropy", "not base64")]
    public void Answer_OnePartIsWrong_NothingIsTaken(string field, string value)
    {
        var reply = Answer($$"""{"id":1,"call":"identity","hostname":"fine","{{field}}":"{{value}}"}""");

        Assert.Equal(AgentErrorCodes.BadRequest, reply.Code);
        Assert.StartsWith(field, reply.Error);
        Assert.Equal((null, null, null), (_identity.Hostname, _identity.MachineId, _identity.Network));
    }

    [Fact]
    public void Answer_NameIsRefused_TheRestIsTakenAndTheProblemTold()
    {
        var identity = new FakeIdentity { Refusal = "Cannot set the hostname: no." };

        var reply = new CallDispatcher(new CallOptions(), _kernel, identity, TimeProvider.System)
            .Answer("""{"id":1,"call":"identity","hostname":"a","machineId":"0123456789abcdef0123456789abcdef","gateway":"10.0.0.1"}"""u8);

        Assert.Equal((false, AgentErrorCodes.Failed, "Cannot set the hostname: no."), (reply.Ok, reply.Code, reply.Error));
        Assert.NotNull(identity.MachineId);
        Assert.NotNull(identity.Network);
    }

    private AgentReply Answer(string line) =>
        new CallDispatcher(new CallOptions(), _kernel, _identity, TimeProvider.System).Answer(Encoding.UTF8.GetBytes(line));
}
