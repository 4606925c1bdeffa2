namespace Architekt.Fabric.PackageTransfer;

/// <summary>A package could not be brought from where it is to where it should be.</summary>
public sealed class PackageTransferException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="code">Why, for programs.</param>
    /// <param name="message">What, where, why and what to do, for people.</param>
    /// <param name="cause">What it came from.</param>
    public PackageTransferException(PackageTransferErrorCode code, string message, Exception? cause = null)
        : base(message, cause) => Code = code;

    /// <summary>Why.</summary>
    public PackageTransferErrorCode Code { get; }
}
