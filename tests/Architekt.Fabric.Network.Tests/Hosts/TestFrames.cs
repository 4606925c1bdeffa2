using System.Buffers.Binary;
using System.Diagnostics;

namespace Architekt.Fabric.Network.Tests.Hosts;

/// <summary>Frames from the client to the guest that nobody else sends, and their way to the guest's other host.</summary>
internal static class TestFrames
{
    private const int ExperimentalEtherType = 0x88b5; // IEEE 802, for local experiments

    /// <summary>Whenever a frame came, it is forwarded.</summary>
    internal static DateTimeOffset Always { get; } = DateTimeOffset.MinValue;

    /// <summary>A frame without its addresses.</summary>
    internal static byte[] Content(byte[] ethernet) => ethernet[(2 * MacAddress.Length)..];

    internal static bool IsExperimental(GuestFrame frame) => frame.EtherType == ExperimentalEtherType;

    /// <summary>A frame of random length and content that begins with a number.</summary>
    internal static byte[] RandomFrame(Random random, int number)
    {
        var frame = new byte[random.Next(60, 1514)];
        random.NextBytes(frame);
        TwoHosts.GuestMac.CopyTo(frame);
        TwoHosts.ClientMac.CopyTo(frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), ExperimentalEtherType);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(14), number);
        return frame;
    }

    /// <summary>Forwards until so many frames have arrived: the last ones may still be on their way through the kernel.</summary>
    internal static List<GuestFrame> ForwardUntil(
        TwoHosts hosts, InFlightFrames frames, DateTimeOffset since, int count, Func<GuestFrame, bool>? wanted = null)
    {
        var arrived = new List<GuestFrame>();
        var started = Stopwatch.GetTimestamp();
        while (arrived.Count < count)
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < FakeGuest.Limit, $"{arrived.Count} of {count} frames have arrived.");
            frames.ForwardTo(TwoHosts.Bridge, since);
            while (hosts.GuestB.TryRead(TimeSpan.FromMilliseconds(10), wanted ?? IsExperimental) is { } frame)
                arrived.Add(frame);
        }

        return arrived;
    }
}
