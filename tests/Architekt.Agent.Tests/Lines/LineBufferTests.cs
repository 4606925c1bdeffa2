using System.Text;
using Architekt.AgentProtocol;
using CsCheck;

namespace Architekt.Agent.Tests.Lines;

public sealed class LineBufferTests
{
    [Fact]
    public void Take_AnySplitOfAnyLines_GivesTheLines()
    {
        var line = Gen.Char['a', 'z'].Array[0, 200].Select(characters => new string(characters));
        Gen.Select(line.Array[0, 20], Gen.Int[1, 50].Array[1, 20]).Sample((lines, sizes) =>
        {
            var bytes = Encoding.ASCII.GetBytes(string.Concat(lines.Select(text => text + "\n")));
            Assert.Equal(lines, Feed(new LineBuffer(), bytes, sizes));
        });
    }

    [Theory]
    [InlineData(AgentLimits.MaxLineBytes, LineResult.Line)]
    [InlineData(AgentLimits.MaxLineBytes + 1, LineResult.TooLong)]
    public void Take_LineAtTheLimit_IsTakenUpToIt(int length, LineResult expected)
    {
        var buffer = new LineBuffer();
        ReadOnlySpan<byte> input = Encoding.ASCII.GetBytes(new string('a', length) + "\nnext\n");

        Assert.Equal(expected, buffer.Take(ref input, out _));
        Assert.Equal(LineResult.Line, buffer.Take(ref input, out var line));
        Assert.Equal("next"u8, line);
    }

    [Fact]
    public void Reset_InTheMiddleOfALine_ForgetsIt()
    {
        var buffer = new LineBuffer();
        ReadOnlySpan<byte> input = "half"u8;
        Assert.Equal(LineResult.Incomplete, buffer.Take(ref input, out _));

        buffer.Reset();

        input = "whole\n"u8;
        buffer.Take(ref input, out var line);
        Assert.Equal("whole"u8, line);
    }

    private static List<string> Feed(LineBuffer buffer, byte[] bytes, int[] sizes)
    {
        var found = new List<string>();
        for (int position = 0, turn = 0; position < bytes.Length; turn++)
        {
            var size = Math.Min(sizes[turn % sizes.Length], bytes.Length - position);
            ReadOnlySpan<byte> input = bytes.AsSpan(position, size);
            position += size;
            while (input.Length > 0)
            {
                if (buffer.Take(ref input, out var line) == LineResult.Line)
                    found.Add(Encoding.ASCII.GetString(line));
            }
        }

        return found;
    }
}
