namespace Architekt.Fabric.Qemu.Tests.Images;

public sealed class QemuImgTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public QemuImgTests() => Assert.SkipUnless(QemuBinary.FindInPath("qemu-img") is not null, "qemu-img is not installed");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task CreateOverlay_OnRaw_HasItsSizeAndBacking()
    {
        var images = new QemuImg();
        await images.CreateRawAsync(_folder["base.raw"], 8 << 20, Deadline.After(60));
        await images.CreateOverlayAsync(_folder["a,b.qcow2"], _folder["base.raw"], Deadline.After(60));
        var info = await images.InfoAsync(_folder["a,b.qcow2"], Deadline.After(60));
        Assert.Equal(("qcow2", 8L << 20), (info.Format, info.VirtualSize));
        Assert.Equal((_folder["base.raw"], "raw"), (info.FullBackingFilename, info.BackingFilenameFormat));
    }

    [Fact]
    public async Task CreateOverlay_BackingMissing_CarriesCommandCodeAndText()
    {
        var exception = await Assert.ThrowsAsync<QemuImgException>(
            () => new QemuImg().CreateOverlayAsync(_folder["x.qcow2"], _folder["none.raw"], Deadline.After(60)));
        Assert.Equal(1, exception.ExitCode);
        Assert.StartsWith("qemu-img create", exception.Command, StringComparison.Ordinal);
        Assert.Contains("none.raw", exception.StandardError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Info_ToolMissing_NamesThePackage()
    {
        var exception = await Assert.ThrowsAsync<QemuImgException>(() => new QemuImg("qemu-img-nothing").InfoAsync(_folder["x"], Deadline.After(60)));
        Assert.Null(exception.ExitCode);
        Assert.Contains("qemu-utils", exception.Message, StringComparison.Ordinal);
    }
}
