namespace Architekt.Fabric.Blueprints;

/// <summary>A blueprint could not be built; nothing is left behind.</summary>
public sealed class BlueprintException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="code">Why, for programs.</param>
    /// <param name="message">What, where, why and what to do, for people.</param>
    /// <param name="cause">What it came from.</param>
    public BlueprintException(BlueprintErrorCode code, string message, Exception? cause = null)
        : base(message, cause) => Code = code;

    /// <summary>Why.</summary>
    public BlueprintErrorCode Code { get; }
}
