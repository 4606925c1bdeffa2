using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Network.Tests;

public sealed class PrivateCableTests
{
    private const int VirtioHeader = 10;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Open_FrameAtOneEnd_ComesOutOfTheOtherWithItsHeaderThere()
    {
        using var cable = await OpenAsync();
        using var card = new FileStream(new SafeFileHandle(cable.CardDescriptor, ownsHandle: false), FileAccess.ReadWrite, bufferSize: 0);
        using var near = new FileStream(new SafeFileHandle(cable.NearDescriptor, ownsHandle: false), FileAccess.ReadWrite, bufferSize: 0);
        var frame = GratuitousAnnounce.BuildRarp(MacAddress.Generate("near"));
        await near.WriteAsync(frame, TestContext.Current.CancellationToken);

        var received = await ReadAsync(card);

        Assert.Equal(frame, received[VirtioHeader..(VirtioHeader + frame.Length)]);
        var answer = GratuitousAnnounce.BuildRarp(MacAddress.Generate("card"));
        await card.WriteAsync((byte[])[.. new byte[VirtioHeader], .. answer], TestContext.Current.CancellationToken);
        Assert.Equal(answer, (await ReadAsync(near))[..answer.Length]);
    }

    [Fact]
    public async Task Open_Two_DoNotHearEachOther()
    {
        using var one = await OpenAsync();
        using var other = await OpenAsync();

        // The same names in both, and none of them among this process's own interfaces.
        Assert.DoesNotContain(System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces(), static found => found.Name is "card" or "near" or "bridge0");
    }

    private static async Task<PrivateCable> OpenAsync()
    {
        if (!File.Exists("/dev/net/tun")) Assert.Skip("There is no /dev/net/tun.");
        try
        {
            return await PrivateCable.OpenAsync(TestContext.Current.CancellationToken);
        }
        catch (NetworkException refused) when (!Environment.IsPrivilegedProcess)
        {
            Assert.Skip(refused.Message);
            throw;
        }
    }

    private static Task<byte[]> ReadAsync(FileStream end) => Task.Run(() =>
    {
        var buffer = new byte[2048];
        return buffer[..end.Read(buffer)];
    }).WaitAsync(_patience, TestContext.Current.CancellationToken);
}
