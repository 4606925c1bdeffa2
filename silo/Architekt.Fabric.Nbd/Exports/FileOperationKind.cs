namespace Architekt.Fabric.Nbd;

internal enum FileOperationKind
{
    Read,
    Write,
    Flush,
    Trim,
    ZeroMayPunch,
    ZeroAllocated,
}
