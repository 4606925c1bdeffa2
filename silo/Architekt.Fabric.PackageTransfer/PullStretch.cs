using Architekt.Fabric.Nbd;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.PackageTransfer;

/// <summary>A part of an entry that is pulled and remembered as one.</summary>
/// <param name="Entry">The entry's name.</param>
/// <param name="Client">Where it is read from.</param>
/// <param name="Range">Which part.</param>
internal sealed record PullStretch(string Entry, INbdClient Client, PackageRange Range);
