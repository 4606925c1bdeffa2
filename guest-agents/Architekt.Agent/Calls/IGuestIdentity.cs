namespace Architekt.Agent.Calls;

/// <summary>What tells this guest from others; each part is changed by itself and answered with null or with why that failed.</summary>
internal interface IGuestIdentity
{
    /// <summary>Sets the guest's name, for now and, where it is kept in a file, for later.</summary>
    string? SetHostname(string hostname);

    /// <summary>Sets the machine id.</summary>
    string? SetMachineId(string machineId);

    /// <summary>Sets the addresses of the first network card and the default gateway, as far as they are wanted.</summary>
    string? SetNetwork(NewIdentity wanted);
}
