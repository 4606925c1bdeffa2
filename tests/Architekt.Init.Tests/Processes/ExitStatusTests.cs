using Architekt.Init.Processes;

namespace Architekt.Init.Tests.Processes;

public sealed class ExitStatusTests
{
    [Theory]
    [InlineData(0x0000, 0, "ended with exit code 0")]
    [InlineData(0x0300, 3, "ended with exit code 3")]
    [InlineData(0x0009, 137, "was ended by signal 9")]
    // With a core dump.
    [InlineData(0x008b, 139, "was ended by signal 11")]
    public void Status_IsReadAsWaitReportsIt(int raw, int code, string text)
    {
        var status = new ExitStatus(raw);
        Assert.Equal(code, status.Code);
        Assert.Equal(text, status.ToString());
    }
}
