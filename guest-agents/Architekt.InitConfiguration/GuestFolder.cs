namespace Architekt.InitConfiguration;

/// <summary>A folder to be made in the guest.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Mode">Its permissions, as in chmod(2).</param>
/// <param name="UserId">Its owner.</param>
/// <param name="GroupId">Its group.</param>
public sealed record GuestFolder(string Path, int Mode, uint UserId, uint GroupId);
