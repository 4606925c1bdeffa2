namespace Architekt.Fabric.Grains;

/// <summary>What hosts say of themselves.</summary>
public interface IHostStore
{
    /// <summary>Records a host's report; <see cref="HostInfo.State"/>, used memory, VM count and <see cref="HostInfo.IsCordoned"/> of the argument are ignored.</summary>
    Task ReportAsync(HostInfo host, CancellationToken cancellationToken);

    /// <summary>All hosts; used memory and VM count are computed from what they own, the state is <see cref="HostState.Dead"/> or <see cref="HostState.Unreachable"/>.</summary>
    Task<IReadOnlyList<HostInfo>> ListAsync(CancellationToken cancellationToken);
}
