namespace Architekt.Fabric.Packages;

/// <summary>Says which packages are used by something that outlives processes, such as a stopped VM.</summary>
/// <param name="cancellationToken">Stops it.</param>
/// <returns>Digests. Asked while nothing in the store can change.</returns>
public delegate Task<IReadOnlySet<string>> PackageUsers(CancellationToken cancellationToken);
