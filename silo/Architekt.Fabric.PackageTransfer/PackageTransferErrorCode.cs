namespace Architekt.Fabric.PackageTransfer;

/// <summary>Why a package could not be brought from where it is to where it should be.</summary>
public enum PackageTransferErrorCode
{
    /// <summary>The source cannot be reached, or stopped serving. What has arrived stays; trying again, there or elsewhere, may help.</summary>
    SourceLost,

    /// <summary>The source serves something else than it should. Another source may be better.</summary>
    SourceWrong,

    /// <summary>The host that a package is sent to cannot be reached, or takes no more. What has arrived stays; trying again may help.</summary>
    TargetLost,

    /// <summary>The host that a package is sent to has no room for it.</summary>
    TargetFull,
}
