using System.Diagnostics;
using System.Runtime.InteropServices;
using Architekt.Fabric.Network.Tests.Interop;

namespace Architekt.Fabric.Network.Tests.Hosts;

/// <summary>The other end of a TAP, where otherwise QEMU is.</summary>
internal sealed class FakeGuest(TapDevice tap, MacAddress mac)
{
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    internal MacAddress Mac => mac;

    /// <summary>Takes over checksums and segmentation from the host, as a guest with an ordinary virtio driver does.</summary>
    internal void EnableOffload()
        => Assert.Equal(0, TestNativeMethods.Ioctl(tap.Handle.Number, TestNativeMethods.TunSetOffload, TestNativeMethods.OffloadAll));

    /// <summary>The next frame that is for this guest and that <paramref name="wanted"/> accepts; null when none has come in time.</summary>
    internal unsafe GuestFrame? TryRead(TimeSpan patience, Func<GuestFrame, bool>? wanted = null)
    {
        var buffer = new byte[80_000];
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var left = Math.Max(0, (patience - Stopwatch.GetElapsedTime(started)).TotalMilliseconds);
            var poll = new TestNativeMethods.PollDescriptor { Descriptor = tap.Handle.Number, Events = 1 };
            var ready = TestNativeMethods.Poll(ref poll, 1, (int)Math.Ceiling(left));
            if (ready == 0)
                return null;

            // A signal, such as that of a child's end, interrupts poll(2) always (signal(7)); to read then would wait without a limit.
            if (ready < 0)
                continue;

            nint length;
            fixed (byte* start = buffer)
                length = TestNativeMethods.Read(tap.Handle.Number, start, (nuint)buffer.Length);
            if (length < 0)
                throw new InvalidOperationException($"read from TAP: {Marshal.GetLastPInvokeErrorMessage()}");

            var frame = new GuestFrame(buffer[..(int)length]);
            if (frame.Destination == mac && (wanted is null || wanted(frame)))
                return frame;
        }
    }

    internal GuestFrame Read(Func<GuestFrame, bool>? wanted = null)
        => TryRead(Limit, wanted) ?? throw new TimeoutException($"No such frame reached the guest behind {tap.Name} within {Limit.TotalSeconds} s.");

    internal void Send(ReadOnlySpan<byte> frame) => GratuitousAnnounce.SendThroughTap(tap, frame);
}
