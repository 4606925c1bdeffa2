namespace Architekt.GuestPorts;

/// <summary>A port to the host could not be found or opened.</summary>
/// <param name="message">What, where and why.</param>
public sealed class GuestPortException(string message) : Exception(message);
