namespace Architekt.Fabric.Blueprints.Kernels;

/// <summary>A kernel and what it loads.</summary>
/// <param name="Path">The bzImage.</param>
/// <param name="Version">Its version, as <c>uname -r</c> shows it.</param>
/// <param name="Modules">In the order in which they are loaded.</param>
internal sealed record Kernel(string Path, string Version, IReadOnlyList<KernelModule> Modules);
