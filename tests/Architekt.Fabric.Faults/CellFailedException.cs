namespace Architekt.Fabric.Faults;

/// <summary>Something is not as it must be after a fault; the message says what.</summary>
internal sealed class CellFailedException(string message) : Exception(message);
