namespace Architekt.Fabric.Blueprints.Startup;

/// <summary>Who the entry point runs as.</summary>
/// <param name="UserId">User.</param>
/// <param name="GroupId">Group.</param>
/// <param name="SupplementaryGroups">Further groups.</param>
/// <param name="Home">Home folder.</param>
internal sealed record GuestUser(uint UserId, uint GroupId, IReadOnlyList<uint> SupplementaryGroups, string Home);
