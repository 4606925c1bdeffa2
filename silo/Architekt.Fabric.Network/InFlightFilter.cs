using System.Buffers.Binary;
using Architekt.Fabric.Network.Interop;

namespace Architekt.Fabric.Network;

/// <summary>Which frames on a TAP are in flight to its guest, as a classic BPF program (linux/filter.h) that the kernel runs for each.</summary>
internal static class InFlightFilter
{
    private const ushort LoadWord = 0x20, LoadHalf = 0x28, LoadByte = 0x30, JumpIfEqual = 0x15, JumpIfAnySet = 0x45, Return = 0x06; // linux/bpf_common.h
    private const uint Ancillary = 0xffff_f000, PacketType = Ancillary + 4, PacketMark = Ancillary + 20; // SKF_AD_OFF
    private const uint Outgoing = 4; // PACKET_OUTGOING: leaves the host through this interface
    private const uint GroupBit = 1, Destination = 0, Source = 6, Whole = 0xffff_ffff, Nothing = 0;
    private const byte Keep = 14, Drop = 15;

    /// <summary>
    /// Kept is what goes towards the guest and is meant for it or for all, except what carries <paramref name="ownMark"/> (we have sent it), and
    /// what comes from the guest's own address: that is its announcement from the new place, and sent again it would call the traffic back.
    /// </summary>
    internal static FilterInstruction[] For(MacAddress guest, uint ownMark)
    {
        var bytes = guest.ToArray();
        var (high, low) = (BinaryPrimitives.ReadUInt32BigEndian(bytes), BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(4)));
        return
        [
            /*  0 */ new(LoadWord, 0, 0, PacketType),
            /*  1 */ Jump(JumpIfEqual, at: 1, Outgoing, then: 2, otherwise: Drop),
            /*  2 */ new(LoadWord, 0, 0, PacketMark),
            /*  3 */ Jump(JumpIfEqual, at: 3, ownMark, then: Drop, otherwise: 4),
            /*  4 */ new(LoadWord, 0, 0, Source),
            /*  5 */ Jump(JumpIfEqual, at: 5, high, then: 6, otherwise: 8),
            /*  6 */ new(LoadHalf, 0, 0, Source + 4),
            /*  7 */ Jump(JumpIfEqual, at: 7, low, then: Drop, otherwise: 8),
            /*  8 */ new(LoadByte, 0, 0, Destination),
            /*  9 */ Jump(JumpIfAnySet, at: 9, GroupBit, then: Keep, otherwise: 10),
            /* 10 */ new(LoadWord, 0, 0, Destination),
            /* 11 */ Jump(JumpIfEqual, at: 11, high, then: 12, otherwise: Drop),
            /* 12 */ new(LoadHalf, 0, 0, Destination + 4),
            /* 13 */ Jump(JumpIfEqual, at: 13, low, then: Keep, otherwise: Drop),
            /* 14 */ new(Return, 0, 0, Whole),
            /* 15 */ new(Return, 0, 0, Nothing),
        ];
    }

    /// <summary>Kept is what comes from the guest's own address and yet goes towards its TAP: it was sent from another place.</summary>
    internal static FilterInstruction[] FromElsewhere(MacAddress guest)
    {
        const byte Take = 6, Leave = 7;
        var bytes = guest.ToArray();
        return
        [
            /* 0 */ new(LoadWord, 0, 0, PacketType),
            /* 1 */ Jump(JumpIfEqual, at: 1, Outgoing, then: 2, otherwise: Leave),
            /* 2 */ new(LoadWord, 0, 0, Source),
            /* 3 */ Jump(JumpIfEqual, at: 3, BinaryPrimitives.ReadUInt32BigEndian(bytes), then: 4, otherwise: Leave),
            /* 4 */ new(LoadHalf, 0, 0, Source + 4),
            /* 5 */ Jump(JumpIfEqual, at: 5, BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(4)), then: Take, otherwise: Leave),
            /* 6 */ new(Return, 0, 0, Whole),
            /* 7 */ new(Return, 0, 0, Nothing),
        ];
    }

    // Targets count from the instruction after the jump.
    private static FilterInstruction Jump(ushort code, int at, uint operand, int then, int otherwise)
        => new(code, (byte)(then - at - 1), (byte)(otherwise - at - 1), operand);
}
