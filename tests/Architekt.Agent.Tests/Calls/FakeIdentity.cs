using Architekt.Agent.Calls;

namespace Architekt.Agent.Tests.Calls;

internal sealed class FakeIdentity : IGuestIdentity
{
    internal string? Refusal { get; init; }

    internal string? Hostname { get; private set; }

    internal string? MachineId { get; private set; }

    internal NewIdentity? Network { get; private set; }

    public string? SetHostname(string hostname)
    {
        Hostname = hostname;
        return Refusal;
    }

    public string? SetMachineId(string machineId)
    {
        MachineId = machineId;
        return null;
    }

    public string? SetNetwork(NewIdentity wanted)
    {
        Network = wanted;
        return null;
    }
}
