namespace Architekt.Fabric.Processes.Tests;

public sealed class ExecutablePathTests
{
    [Fact]
    public void Find_NameInPath_IsAFullPath() => Assert.EndsWith("/sh", ExecutablePath.Find("sh"), StringComparison.Ordinal);

    [Fact]
    public void Find_PathOfAFileThatIsNotExecutable_IsNull() => Assert.Null(ExecutablePath.Find("/etc/passwd"));

    [Fact]
    public void Find_NameThatIsOnlyBesideTheProgram_IsNull()
    {
        var beside = Path.GetFileName(Environment.ProcessPath!);
        Assert.SkipWhen(beside == "dotnet", "Started through the dotnet host, whose folder may be in PATH.");

        Assert.Null(ExecutablePath.Find(beside));
    }
}
