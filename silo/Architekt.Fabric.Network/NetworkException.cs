using System.Runtime.InteropServices;

namespace Architekt.Fabric.Network;

/// <summary>The host's network refused something. <see cref="Exception.Message"/> is one sentence: what, where, why.</summary>
public sealed class NetworkException : Exception
{
    /// <summary>Creates the exception from a whole sentence.</summary>
    /// <param name="message">The sentence.</param>
    /// <param name="errorNumber">errno of the failed system call; 0 when there was none.</param>
    public NetworkException(string message, int errorNumber = 0) : base(message) => ErrorNumber = errorNumber;

    /// <summary>errno of the failed system call; 0 when there was none.</summary>
    public int ErrorNumber { get; }

    internal static NetworkException FromLastError(string whatFailed)
    {
        var error = Marshal.GetLastPInvokeError();
        return new NetworkException($"{whatFailed}: {Marshal.GetPInvokeErrorMessage(error)}.", error);
    }
}
