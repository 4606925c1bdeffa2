using Architekt.Fabric.Grains;
using Architekt.Fabric.Silo.Ownership;
using Architekt.Fabric.Silo.Tests.Support;

namespace Architekt.Fabric.Silo.Tests.Ownership;

public sealed class RestartPolicyTests
{
    [Theory]
    [InlineData(0, 0.5, false)]
    [InlineData(0, 1, true)]
    [InlineData(3, 7.9, false)]
    [InlineData(3, 8, true)]
    public void Decide_AfterAFailure_WaitsLongerEachTime(int restarts, double failedFor, bool isDue)
    {
        var decision = RestartPolicy.Decide(Failed(restarts, ranFor: 1, failedFor));
        Assert.Equal((isDue, false), (decision.IsDue, decision.HasGivenUp));
        if (isDue) Assert.Equal(restarts + 1, decision.Restarts);
    }

    [Fact]
    public void Decide_TooOftenInARow_GivesUp()
    {
        var decision = RestartPolicy.Decide(Failed(RestartPolicy.Limit, ranFor: 1, failedFor: 1000));
        Assert.Equal((false, true), (decision.IsDue, decision.HasGivenUp));
    }

    [Fact]
    public void Decide_HadRunLongEnough_CountsAnew()
    {
        var decision = RestartPolicy.Decide(Failed(RestartPolicy.Limit, RestartPolicy.Settled.TotalSeconds, failedFor: 1));
        Assert.Equal((true, 1), (decision.IsDue, decision.Restarts));
    }

    private static FailedVm Failed(int restarts, double ranFor, double failedFor) =>
        new(Rows.Vm("vm", "host-a", 1, VmState.Failed), restarts, TimeSpan.FromSeconds(ranFor), TimeSpan.FromSeconds(failedFor));
}
