namespace Architekt.Fabric.Memory.Tests;

public sealed class ArmedMappingTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ReadAsync_ReportAppearsLater_ReadsIt()
    {
        var reading = ArmedMapping.ReadAsync(_folder["report"], TestContext.Current.CancellationToken);
        Assert.False(reading.IsCompleted);
        File.WriteAllText(_folder["report.tmp"], "123 139638714499072 268435456 9\n");
        File.Move(_folder["report.tmp"], _folder["report"]);
        Assert.Equal(new ArmedMapping(123, 139638714499072, 268435456, 9), await reading);
    }

    [Fact]
    public async Task ReadAsync_NoReport_EndsWithTheToken()
    {
        using var source = new CancellationTokenSource();
        var reading = ArmedMapping.ReadAsync(_folder["report"], source.Token);
        source.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1 4096 4096")]
    [InlineData("1 4096 4096 3 5")]
    [InlineData("0 4096 4096 3")]
    [InlineData("1 4097 4096 3")]
    [InlineData("1 4096 0 3")]
    [InlineData("1 18446744073709547520 8192 3")]
    [InlineData("1 4096 4096 -3")]
    public async Task ReadAsync_NoReportInTheFile_Throws(string text)
    {
        File.WriteAllText(_folder["report"], text);
        await Assert.ThrowsAsync<InvalidDataException>(() => ArmedMapping.ReadAsync(_folder["report"], TestContext.Current.CancellationToken));
    }
}
