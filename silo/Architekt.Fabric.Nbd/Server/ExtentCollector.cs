using System.Buffers.Binary;
using System.Collections;

namespace Architekt.Fabric.Nbd;

/// <summary>
/// Takes an export's extents for one NBD_CMD_BLOCK_STATUS reply: joins equal neighbours, cuts at the end of the request and keeps the reply bounded.
/// </summary>
internal sealed class ExtentCollector : IList<NbdExtent>
{
    private readonly List<NbdExtent> _extents = [];
    private readonly long _end;
    private readonly int _limit;
    private long _next;
    private bool _full;

    public ExtentCollector(long offset, long length, int limit)
    {
        _next = offset;
        _end = offset + length;
        _limit = limit;
    }

    public int Count => _extents.Count;

    /// <summary>True when the extents were not consecutive from the start of the request: a fault of the export.</summary>
    public bool IsBroken { get; private set; }

    public bool IsReadOnly => false;

    public NbdExtent this[int index]
    {
        get => _extents[index];
        set => throw Unsupported();
    }

    public void Add(NbdExtent item)
    {
        if (_full || _next == _end)
            return;
        if (item.Offset != _next || item.Length <= 0)
        {
            IsBroken = _full = true;
            return;
        }

        var taken = Math.Min(item.Length, _end - _next);
        if (_extents.Count > 0 && _extents[^1].State == item.State)
        {
            _extents[^1] = _extents[^1] with { Length = _extents[^1].Length + taken };
        }
        else if (_extents.Count < _limit)
        {
            _extents.Add(new NbdExtent(_next, taken, item.State));
        }
        else
        {
            _full = true;
            return;
        }

        _next += taken;
    }

    /// <summary>The descriptors of the reply, 8 bytes each. Lengths fit 32 bits because those of requests do.</summary>
    public byte[] ToDescriptors()
    {
        var bytes = new byte[_extents.Count * 8];
        for (var i = 0; i < _extents.Count; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(i * 8), (uint)_extents[i].Length);
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan((i * 8) + 4), (uint)_extents[i].State);
        }

        return bytes;
    }

    public IEnumerator<NbdExtent> GetEnumerator() => _extents.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public int IndexOf(NbdExtent item) => _extents.IndexOf(item);

    public bool Contains(NbdExtent item) => _extents.Contains(item);

    public void CopyTo(NbdExtent[] array, int arrayIndex) => _extents.CopyTo(array, arrayIndex);

    public void Insert(int index, NbdExtent item) => throw Unsupported();

    public void RemoveAt(int index) => throw Unsupported();

    public bool Remove(NbdExtent item) => throw Unsupported();

    public void Clear() => throw Unsupported();

    private static NotSupportedException Unsupported() => new("Extents of an NBD reply can only be added.");
}
