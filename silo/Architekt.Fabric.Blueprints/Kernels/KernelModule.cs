namespace Architekt.Fabric.Blueprints.Kernels;

/// <summary>A module to load, not compressed.</summary>
/// <param name="FileName">Such as <c>virtio_blk.ko</c>.</param>
/// <param name="Path">Where it is.</param>
internal sealed record KernelModule(string FileName, string Path);
