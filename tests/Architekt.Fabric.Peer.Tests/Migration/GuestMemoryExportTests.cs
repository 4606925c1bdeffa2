using Architekt.Fabric.Memory;
using Architekt.Fabric.Nbd;
using Architekt.Fabric.Peer.Migration;

namespace Architekt.Fabric.Peer.Tests.Migration;

public sealed class GuestMemoryExportTests : IDisposable
{
    private readonly string _path = $"/dev/shm/export-{Guid.NewGuid():N}";

    // A source that wakes late must not write into the RAM of a guest that runs here.
    [Fact]
    public async Task Write_AfterTheHandOver_IsRefusedAndChangesNothing()
    {
        using var memory = GuestMemory.Create(_path, GuestMemory.PageSize);
        var export = new GuestMemoryExport("memory", memory, new ReceivedPages(memory.Length), disk: null);
        Assert.Equal(NbdError.None, await export.WriteAsync(0, new byte[] { 7 }, TestContext.Current.CancellationToken));
        Assert.True(export.TryGetWriteTarget(0, 1, out _));

        export.Close();

        Assert.Equal(NbdError.NotPermitted, await export.WriteAsync(0, new byte[] { 8 }, TestContext.Current.CancellationToken));
        Assert.Equal(NbdError.NotPermitted, await export.WriteZeroesAsync(0, 1, mayPunchHole: false, TestContext.Current.CancellationToken));
        Assert.False(export.TryGetWriteTarget(0, 1, out _));
        Assert.Equal(7, memory.GetSpan(0, 1)[0]);
    }

    public void Dispose() => File.Delete(_path);
}
