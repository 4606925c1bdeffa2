namespace Architekt.GuestPorts;

/// <summary>The program was called the wrong way.</summary>
/// <param name="message">What is wrong.</param>
public sealed class CommandLineException(string message) : Exception(message);
