namespace Architekt.Agent.Calls;

/// <summary>What the agent changes in the guest's kernel.</summary>
internal interface IGuestKernel
{
    /// <summary>The real-time clock, in nanoseconds since the Unix epoch.</summary>
    long RealTimeNanoseconds { get; }

    /// <summary>Sets the real-time clock.</summary>
    /// <returns>Null, or why it cannot be set.</returns>
    string? SetRealTime(long unixTimeNanoseconds);

    /// <summary>Mixes bytes into the random pool and has the generator seeded from it anew.</summary>
    /// <returns>Null, or why that is not possible.</returns>
    string? AddEntropy(ReadOnlySpan<byte> bytes);
}
