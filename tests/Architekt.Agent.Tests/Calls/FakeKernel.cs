using Architekt.Agent.Calls;

namespace Architekt.Agent.Tests.Calls;

internal sealed class FakeKernel : IGuestKernel
{
    internal string? Refusal { get; init; }

    internal byte[]? Entropy { get; private set; }

    public long RealTimeNanoseconds { get; set; }

    public string? SetRealTime(long unixTimeNanoseconds)
    {
        if (Refusal is null)
            RealTimeNanoseconds = unixTimeNanoseconds;
        return Refusal;
    }

    public string? AddEntropy(ReadOnlySpan<byte> bytes)
    {
        Entropy = bytes.ToArray();
        return null;
    }
}
