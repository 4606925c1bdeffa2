using Architekt.Fabric.Blueprints.Tests.Support;

namespace Architekt.Fabric.Blueprints.Tests;

public sealed class BlueprintOptionsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("tcp:6379", true)]
    [InlineData("tcp:10.0.0.5:80", true)]
    [InlineData("tcp:0", false)]
    [InlineData("tcp:65536", false)]
    [InlineData("tcp:10.0.5:80", false)]
    [InlineData("tcp:::1:80", false)]
    [InlineData("tcp:localhost:80", false)]
    [InlineData("udp:53", false)]
    [InlineData("6379", false)]
    [InlineData("", false)]
    public void IsReadyCheck_Text_IsWhatTheFirstProcessUnderstands(string text, bool isCheck) => Assert.Equal(isCheck, BlueprintOptions.IsReadyCheck(text));

    [Fact]
    public async Task Build_KernelThatAptDoesNotKnow_NamesAllThatWereLookedFor()
    {
        Tool.Require("mke2fs", "apt-cache");
        var image = new TestImage(_folder["image"]).AddLayer(new TarBuilder().Folder("etc").Build());
        image.Finish();
        var options = FakeParts.Options(FakeParts.Make(_folder["parts"]), _folder["out"]) with { Kernel = KernelSource.FromApt("no-such-kernel-1", "no-such-kernel-2") };

        var error = await Assert.ThrowsAsync<BlueprintException>(
            () => BlueprintBuilder.BuildAsync(new BlueprintSource(image.Folder), options, null, TestContext.Current.CancellationToken));

        Assert.Equal(BlueprintErrorCode.NotFound, error.Code);
        Assert.Contains("no-such-kernel-1 and none no-such-kernel-2", error.Message, StringComparison.Ordinal);
    }
}
