namespace Architekt.Fabric.Peer.Tests.Machine;

public sealed class LeaseTermTests
{
    private static readonly TimeSpan Later = TimeSpan.FromSeconds(10);

    [Fact]
    public void New_AllowsNothingAndHasNothingToWaitFor()
    {
        var term = new LeaseTerm();
        Assert.False(term.Allows(TimeSpan.Zero));
        Assert.Null(term.Left(TimeSpan.Zero));
    }

    [Fact]
    public void Extend_AllowsUntilThenAndNotAtThatMoment()
    {
        var term = new LeaseTerm();
        term.Extend(Later);
        Assert.True(term.Allows(Later - TimeSpan.FromTicks(1)));
        Assert.False(term.Allows(Later));
        Assert.Equal(TimeSpan.FromSeconds(4), term.Left(TimeSpan.FromSeconds(6)));
        Assert.Equal(TimeSpan.Zero, term.Left(Later * 2));
        Assert.Equal(Later + LeaseTerm.Grace, term.End);
    }

    [Fact]
    public void Extend_ByLess_ChangesNothing()
    {
        var term = new LeaseTerm();
        term.Extend(Later);
        term.Extend(Later / 2);
        Assert.Equal(Later, term.Until);
        Assert.False(term.IsLonger(Later));
    }

    [Fact]
    public void Left_Stopped_HasNothingToWaitFor()
    {
        var term = new LeaseTerm();
        term.Extend(Later);
        term.IsStopped = true;
        Assert.Null(term.Left(Later * 2));
    }
}
