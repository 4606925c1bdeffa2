namespace Architekt.Init;

/// <summary>The guest cannot start.</summary>
/// <param name="message">What, where and why.</param>
internal sealed class InitException(string message) : Exception(message);
