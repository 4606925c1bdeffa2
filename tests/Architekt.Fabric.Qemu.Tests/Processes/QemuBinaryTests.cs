namespace Architekt.Fabric.Qemu.Tests.Processes;

public sealed class QemuBinaryTests
{
    [Fact]
    public async Task Detect_InstalledQemu_IsNewEnough()
    {
        Assert.SkipUnless(QemuBinary.FindInPath(QemuBinary.DefaultName) is not null, "qemu-system-x86_64 is not installed");
        var version = await QemuBinary.DetectAsync(QemuBinary.DefaultName, Deadline.After(60));
        Assert.True(version.Version >= QemuBinary.MinimumVersion);
        Assert.StartsWith("/", version.Path, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright", "7.2.22")]
    [InlineData("QEMU emulator version 10.0.2", "10.0.2")]
    [InlineData("QEMU emulator version 9.1", "9.1")]
    public void Parse_KnownForms_AreRead(string output, string expected) =>
        Assert.Equal(Version.Parse(expected), QemuBinary.Parse("/q", output).Version);

    [Fact]
    public void Parse_TooOld_SaysWhatIsNeeded()
    {
        var exception = Assert.Throws<QemuStartException>(() => QemuBinary.Parse("/q", "QEMU emulator version 6.2.0 (Ubuntu)"));
        Assert.Contains("6.2.0", exception.Message, StringComparison.Ordinal);
        Assert.Contains("7.2 or newer", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_SomethingElse_SaysWhatItCallsItself() => Assert.Contains(
        "'ls (GNU coreutils)'", Assert.Throws<QemuStartException>(() => QemuBinary.Parse("/bin/ls", "ls (GNU coreutils)\n")).Message, StringComparison.Ordinal);
}
