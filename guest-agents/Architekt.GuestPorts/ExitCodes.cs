namespace Architekt.GuestPorts;

/// <summary>How the guest's executables end.</summary>
public static class ExitCodes
{
    /// <summary>All done.</summary>
    public const int Success = 0;

    /// <summary>It did not work; standard error says why.</summary>
    public const int Failure = 1;

    /// <summary>Called the wrong way.</summary>
    public const int Usage = 2;
}
