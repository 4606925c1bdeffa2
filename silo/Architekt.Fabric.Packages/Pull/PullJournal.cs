using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Packages;

/// <summary>
/// Remembers which ranges of a pull are on disk: records of three 64-bit little-endian numbers, the entry's place in the manifest, offset and length. A record
/// is written after its data is on disk. One that was cut off, or that a power cut has garbled, is as good as none: it is the digests that decide.
/// </summary>
internal sealed class PullJournal : IDisposable
{
    internal const string FileName = "journal";

    private const int RecordSize = 3 * sizeof(long);

    private readonly SafeFileHandle _file;
    private long _end;

    private PullJournal(SafeFileHandle file, long end) => (_file, _end) = (file, end);

    /// <summary>Opens the journal in a folder, or begins one.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="entries">The entries of the manifest.</param>
    /// <param name="done">Told what it remembers.</param>
    internal static PullJournal Open(string folder, IReadOnlyList<PackageEntry> entries, Action<int, PackageRange> done)
    {
        var file = File.OpenHandle(Path.Combine(folder, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite);
        var record = new byte[RecordSize];
        var position = 0L;
        while (RandomAccess.Read(file, record, position) == RecordSize)
        {
            position += RecordSize;
            var (entry, offset, length) = (Number(record, 0), Number(record, 1), Number(record, 2));
            if (entry >= 0 && entry < entries.Count && offset >= 0 && length > 0 && length <= entries[(int)entry].Size && offset <= entries[(int)entry].Size - length)
                done((int)entry, new PackageRange(offset, length));
        }

        return new PullJournal(file, position);
    }

    internal void Append(int entry, PackageRange range)
    {
        Span<byte> record = stackalloc byte[RecordSize];
        BinaryPrimitives.WriteInt64LittleEndian(record, entry);
        BinaryPrimitives.WriteInt64LittleEndian(record[sizeof(long)..], range.Offset);
        BinaryPrimitives.WriteInt64LittleEndian(record[(2 * sizeof(long))..], range.Length);
        RandomAccess.Write(_file, record, _end);
        _end += RecordSize;
    }

    public void Dispose() => _file.Dispose();

    private static long Number(byte[] record, int index) => BinaryPrimitives.ReadInt64LittleEndian(record.AsSpan(index * sizeof(long)));
}
