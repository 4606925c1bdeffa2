using System.Runtime.InteropServices;
using Architekt.Agent.Calls;

namespace Architekt.Agent.Interop;

/// <summary>The kernel this program runs on.</summary>
internal sealed class LinuxGuestKernel : IGuestKernel
{
    private const string RandomDevice = "/dev/urandom";

    /// <inheritdoc/>
    public long RealTimeNanoseconds => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;

    /// <inheritdoc/>
    public string? SetRealTime(long unixTimeNanoseconds) =>
        LibC.SetClock(LibC.ClockRealTime, new LibC.TimeSpec(unixTimeNanoseconds)) == 0 ? null : $"Cannot set the clock: {LibC.LastError()}.";

    /// <inheritdoc/>
    public string? AddEntropy(ReadOnlySpan<byte> bytes)
    {
        // Not the write alone: that only mixes the bytes in. A clone of a suspended guest must also stop using the seed it shares with others.
        using var device = LibC.OpenDevice(RandomDevice);
        if (device.IsInvalid)
            return $"Cannot open {RandomDevice}: {LibC.LastError()}.";

        // struct rand_pool_info: entropy in bits, size in bytes, the bytes.
        var pool = new byte[(2 * sizeof(int)) + bytes.Length];
        MemoryMarshal.Write(pool, bytes.Length * 8);
        MemoryMarshal.Write(pool.AsSpan(sizeof(int)), bytes.Length);
        bytes.CopyTo(pool.AsSpan(2 * sizeof(int)));
        return LibC.Control(device, LibC.AddEntropy, pool) == 0 && LibC.Control(device, LibC.ReseedGenerator, default) == 0
            ? null
            : $"Cannot credit entropy to {RandomDevice}: {LibC.LastError()}.";
    }
}
