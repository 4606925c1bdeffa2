namespace Architekt.Fabric.Runner.Tests;

public sealed class RunnerOptionsTests
{
    [Fact]
    public void DefaultStateFolder_StateHomeGiven_IsInIt() =>
        Assert.Equal("/srv/state/architekt/runner", RunnerOptions.DefaultStateFolder(static name => name == "XDG_STATE_HOME" ? "/srv/state" : "/home/me"));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("relative")]
    public void DefaultStateFolder_NoUsableStateHome_DependsOnTheUser(string? stateHome)
    {
        var folder = RunnerOptions.DefaultStateFolder(name => name == "XDG_STATE_HOME" ? stateHome : "/home/me");

        Assert.Equal(Environment.IsPrivilegedProcess ? "/var/lib/architekt/runner" : "/home/me/.local/state/architekt/runner", folder);
    }

    [Theory]
    [InlineData("redis", true)]
    [InlineData("redis-7.2_a", true)]
    [InlineData("7", true)]
    [InlineData("", false)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    [InlineData("a/b", false)]
    [InlineData("Redis", false)]
    [InlineData("redis\n", false)]
    public void IsName_OnlyWhatMayBeAFolder_IsOne(string name, bool expected) => Assert.Equal(expected, RunnerOptions.IsName(name));
}
