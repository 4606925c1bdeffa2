using System.Runtime.InteropServices;
using System.Text;
using Architekt.Fabric.Cli.Output;

namespace Architekt.Fabric.Cli.Commands;

/// <summary>Where a console log goes: to standard output as it is, or line by line as JSON.</summary>
internal abstract class LogSink
{
    public static LogSink Create(CommandContext context, string vm, bool isEndless) =>
        context.IsJson ? new JsonLines(context.Json, vm, isEndless) : new Raw(context.Host.OutStream);

    public abstract void Write(ReadOnlyMemory<byte> data, long epoch);

    public abstract void Complete();

    private sealed class Raw(Stream output) : LogSink
    {
        public override void Write(ReadOnlyMemory<byte> data, long epoch) => output.Write(data.Span);

        public override void Complete() => output.Flush();
    }

    private sealed class JsonLines(JsonOutput json, string vm, bool isEndless) : LogSink
    {
        private readonly List<LogLine> _lines = [];
        private readonly List<byte> _rest = [];
        private long _epoch;

        public override void Write(ReadOnlyMemory<byte> data, long epoch)
        {
            // A new owner's log does not continue the last line of the old one's.
            if (epoch != _epoch && _rest.Count > 0) Emit();
            _epoch = epoch;
            foreach (var value in data.Span)
            {
                if (value == '\n') Emit();
                else _rest.Add(value);
            }
        }

        public override void Complete()
        {
            if (_rest.Count > 0) Emit();
            if (!isEndless) json.WriteArray<LogLine>(_lines);
        }

        private void Emit()
        {
            // Decoding whole lines keeps characters together that two reads have torn apart.
            var line = new LogLine(vm, _epoch, Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(_rest)).TrimEnd('\r'));
            _rest.Clear();
            if (isEndless) json.WriteLine(line);
            else _lines.Add(line);
        }
    }
}
