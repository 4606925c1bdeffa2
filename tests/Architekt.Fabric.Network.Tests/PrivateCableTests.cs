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

        var received = await SendUntilReadAsync(near, frame, card);

        Assert.Equal(frame, received[VirtioHeader..(VirtioHeader + frame.Length)]);
        var answer = GratuitousAnnounce.BuildRarp(MacAddress.Generate("card"));
        Assert.Equal(answer, (await SendUntilReadAsync(card, [.. new byte[VirtioHeader], .. answer], near))[..answer.Length]);
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

    /// <summary>A bridge forwards once the kernel has told it of its ports' carrier, which can take a second (net/core/link_watch.c).</summary>
    private static async Task<byte[]> SendUntilReadAsync(FileStream from, byte[] frame, FileStream to)
    {
        var reading = Task.Run(() =>
        {
            var buffer = new byte[2048];
            return buffer[..to.Read(buffer)];
        });
        var deadline = Task.Delay(_patience, TestContext.Current.CancellationToken);
        while (!reading.IsCompleted && !deadline.IsCompleted)
        {
            await from.WriteAsync(frame, TestContext.Current.CancellationToken);
            await Task.WhenAny(reading, deadline, Task.Delay(TimeSpan.FromMilliseconds(100), TestContext.Current.CancellationToken));
        }

        Assert.True(reading.IsCompleted, $"No frame came within {_patience.TotalSeconds:0} s.");
        return await reading;
    }
}
