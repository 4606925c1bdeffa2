namespace Architekt.Fabric.Nbd;

/// <summary>Numbers of the wire; everything is big endian (proto.md, "Values").</summary>
internal static class NbdProtocol
{
    public const ulong InitMagic = 0x4e42444d41474943;
    public const ulong OptionMagic = 0x49484156454F5054;
    public const ulong OldStyleMagic = 0x00420281861253;
    public const ulong OptionReplyMagic = 0x3e889045565a9;
    public const uint RequestMagic = 0x25609513;
    public const uint SimpleReplyMagic = 0x67446698;
    public const uint StructuredReplyMagic = 0x668e33ef;

    public const ushort ServerFixedNewStyle = 1;
    public const ushort ServerNoZeroes = 2;
    public const uint ClientFixedNewStyle = 1;
    public const uint ClientNoZeroes = 2;

    public const int RequestHeaderSize = 28;
    public const int SimpleReplyHeaderSize = 16;
    public const int StructuredReplyHeaderSize = 20;
    public const int OptionHeaderSize = 16;
    public const int OptionReplyHeaderSize = 20;

    /// <summary>Zeroes after the flags in the answer to NBD_OPT_EXPORT_NAME.</summary>
    public const int ExportNamePadding = 124;

    /// <summary>Longest string of the protocol in bytes (proto.md, "String values").</summary>
    public const int MaxString = 4096;

    public const int MinimumBlockSize = 1;
    public const int PreferredBlockSize = 4096;

    /// <summary>Longest read or write: what proto.md lets clients assume without asking.</summary>
    public const int MaximumBlockSize = 32 << 20;

    public const uint AllocationContextId = 1;
    public const string AllocationContext = "base:allocation";

    public const uint ReplyAck = 1;
    public const uint ReplyServer = 2;
    public const uint ReplyInfo = 3;
    public const uint ReplyMetaContext = 4;
    public const uint ReplyErrorBit = 0x80000000;

    public const ushort InfoExport = 0;
    public const ushort InfoName = 1;
    public const ushort InfoDescription = 2;
    public const ushort InfoBlockSize = 3;

    public const ushort ChunkDone = 1;
    public const ushort ChunkNone = 0;
    public const ushort ChunkOffsetData = 1;
    public const ushort ChunkOffsetHole = 2;
    public const ushort ChunkBlockStatus = 5;
    public const ushort ChunkErrorBit = 0x8000;
    public const ushort ChunkError = 0x8001;
    public const ushort ChunkErrorOffset = 0x8002;
}
