namespace Architekt.Fabric.Packages;

/// <summary>Something about a package failed.</summary>
public sealed class PackageException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="code">Why, for programs.</param>
    /// <param name="message">What, where, why and what to do, for people.</param>
    /// <param name="cause">What it came from.</param>
    public PackageException(PackageErrorCode code, string message, Exception? cause = null)
        : base(message, cause) => Code = code;

    /// <summary>Why.</summary>
    public PackageErrorCode Code { get; }
}
