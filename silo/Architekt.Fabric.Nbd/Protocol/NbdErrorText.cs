namespace Architekt.Fabric.Nbd;

internal static class NbdErrorText
{
    /// <summary>Text of an error chunk; ASCII, short enough for a header.</summary>
    public static ReadOnlySpan<byte> ToWireText(this NbdError error) => error switch
    {
        NbdError.NotPermitted => "the export is read-only"u8,
        NbdError.InputOutput => "the storage behind the export failed"u8,
        NbdError.NoMemory => "no memory for the request"u8,
        NbdError.Invalid => "unknown command or flag, range outside the export, or too long"u8,
        NbdError.NoSpace => "no space left, or beyond the end of the export"u8,
        NbdError.Overflow => "too long to be read unfragmented"u8,
        NbdError.NotSupported => "zeroing would be no faster than writing"u8,
        NbdError.ShuttingDown => "the export is going away"u8,
        _ => "failed"u8,
    };

    /// <summary>The error as a server sent it; proto.md has unknown ones treated as EINVAL.</summary>
    public static NbdError FromWire(uint value) =>
        value is 1 or 5 or 12 or 22 or 28 or 75 or 95 or 108 ? (NbdError)value : NbdError.Invalid;

    public static string ToSymbol(this NbdError error) => error switch
    {
        NbdError.None => "success",
        NbdError.NotPermitted => "EPERM",
        NbdError.InputOutput => "EIO",
        NbdError.NoMemory => "ENOMEM",
        NbdError.NoSpace => "ENOSPC",
        NbdError.Overflow => "EOVERFLOW",
        NbdError.NotSupported => "ENOTSUP",
        NbdError.ShuttingDown => "ESHUTDOWN",
        _ => "EINVAL",
    };
}
