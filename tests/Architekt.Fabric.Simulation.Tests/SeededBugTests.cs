using Architekt.Fabric.Simulation.Bugs;

namespace Architekt.Fabric.Simulation.Tests;

/// <summary>A simulation that finds nothing proves nothing unless it would have found something.</summary>
public sealed class SeededBugTests
{
    private const long Histories = 4_000;

    public static TheoryData<string> Bugs => [.. Enum.GetNames<SeededBug>().Where(static name => name != nameof(SeededBug.None))];

    [Theory]
    [MemberData(nameof(Bugs))]
    public void Bug_IsFoundFromAnySeed(string name)
    {
        var bug = Enum.Parse<SeededBug>(name);
        foreach (var seed in new[] { 1UL, 1_000_000UL, 123_456_789UL })
        {
            var needed = Runner.FindBug(bug, seed, Histories);
            Assert.True(needed is not null, $"{bug} was not found in {Histories} histories from seed {seed} on");
            TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}: found in history {needed}");
        }
    }
}
