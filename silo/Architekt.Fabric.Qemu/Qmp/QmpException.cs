namespace Architekt.Fabric.Qemu;

/// <summary>QEMU answered a command with an error. The connection stays usable.</summary>
/// <param name="command">The command that failed.</param>
/// <param name="errorClass">QMP's error class, e.g. <c>GenericError</c>, <c>CommandNotFound</c>, <c>DeviceNotFound</c>.</param>
/// <param name="description">QEMU's own text.</param>
public sealed class QmpException(string command, string errorClass, string description)
    : Exception($"QEMU refused the command '{command}': {description} ({errorClass})")
{
    /// <summary>The command that failed.</summary>
    public string Command { get; } = command;

    /// <summary>QMP's error class.</summary>
    public string ErrorClass { get; } = errorClass;

    /// <summary>QEMU's own text, without anything added.</summary>
    public string Description { get; } = description;
}
