namespace Architekt.Fabric.Blueprints;

/// <summary>Why a blueprint could not be built.</summary>
public enum BlueprintErrorCode
{
    /// <summary>A source, a kernel, a module or an executable is not there.</summary>
    NotFound,

    /// <summary>The image, or an option, is not what it must be.</summary>
    Invalid,

    /// <summary>A blob's content is not what its digest says.</summary>
    DigestMismatch,

    /// <summary>The image is well formed but holds something that cannot be used here: another platform, a file of an unknown kind.</summary>
    Unsupported,

    /// <summary>The output folder is there already.</summary>
    Exists,

    /// <summary>A tool is missing or has failed.</summary>
    ToolFailed,
}
