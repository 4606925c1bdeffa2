namespace Architekt.Fabric.Nbd;

/// <summary>What a <see cref="FileExport"/> is beside its file.</summary>
public sealed class FileExportOptions
{
    /// <inheritdoc cref="INbdExport.IsReadOnly"/>
    public bool IsReadOnly { get; init; }

    /// <inheritdoc cref="INbdExport.Description"/>
    public string? Description { get; init; }

    /// <inheritdoc cref="INbdExport.IsListed"/>
    public bool IsListed { get; init; } = true;
}
