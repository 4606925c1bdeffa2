namespace Architekt.Fabric.PackageTransfer;

/// <summary>Why a package could not be read from where it is.</summary>
public enum PackageTransferErrorCode
{
    /// <summary>The source cannot be reached, or stopped serving. What has arrived stays; trying again, there or elsewhere, may help.</summary>
    SourceLost,

    /// <summary>The source serves something else than it should. Another source may be better.</summary>
    SourceWrong,
}
