namespace Architekt.Fabric.Blueprints.Layers;

/// <summary>What a name in a file system stands for.</summary>
internal enum FileKind
{
    Folder,
    Regular,
    SymbolicLink,
    CharacterDevice,
    BlockDevice,
    Fifo,
}
