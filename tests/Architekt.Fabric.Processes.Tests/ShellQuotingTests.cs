using CsCheck;

namespace Architekt.Fabric.Processes.Tests;

public sealed class ShellQuotingTests
{
    [Fact]
    public async Task Join_AnyWords_MeanTheSameToAShell()
    {
        var words = Gen.String[Gen.Char[' ', '~'], 0, 12].Array[0, 200].Single();

        var result = await Command.RunAsync(
            "sh", ["-c", ShellQuoting.Join("printf", words.Prepend("%s\\n"))], cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(words.Length == 0 ? "\n" : string.Concat(words.Select(word => word + "\n")), result.StandardOutput);
    }
}
