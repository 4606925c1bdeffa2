using Architekt.Fabric.Cli.Hosting;
using Spectre.Console;

namespace Architekt.Fabric.Cli.Output;

/// <summary>How a list of <typeparamref name="T"/> is printed for people.</summary>
internal sealed class Listing<T>(Func<T, string> id)
{
    private readonly List<Column> _columns = [];

    private sealed record Column(string Header, Func<T, string> Text, Func<T, Style>? Style, bool IsNumber);

    public Func<T, string> Id => id;

    public Listing<T> Add(string header, Func<T, string?> text, Func<T, Style>? style = null)
    {
        _columns.Add(new Column(header, row => text(row) ?? "-", style, IsNumber: false));
        return this;
    }

    public Listing<T> AddNumber(string header, Func<T, string?> text)
    {
        _columns.Add(new Column(header, row => text(row) ?? "-", Style: null, IsNumber: true));
        return this;
    }

    public void Write(CliHost host, IReadOnlyList<T> rows)
    {
        if (host.IsOutTerminal) WriteTable(host, rows);
        else WritePlain(host.Out, rows);
    }

    private void WriteTable(CliHost host, IReadOnlyList<T> rows)
    {
        var table = new Table().Border(TableBorder.Rounded).BorderStyle(new Style(Color.Grey));
        foreach (var column in _columns)
        {
            var header = new TableColumn(new Text(column.Header, new Style(decoration: Decoration.Bold)));
            if (column.IsNumber) header.RightAligned();
            table.AddColumn(header);
        }

        foreach (var row in rows)
            table.AddRow(_columns.Select(column => new Text(Printable.Of(column.Text(row)), column.Style?.Invoke(row))));
        Terminals.ForOutput(host).Write(table);
    }

    // Columns two blanks apart, nothing cut off, nothing behind the last one: made for awk and grep.
    private void WritePlain(TextWriter writer, IReadOnlyList<T> rows)
    {
        var cells = rows.Select(row => _columns.Select(column => Printable.Of(column.Text(row))).ToArray()).Prepend([.. _columns.Select(column => column.Header)]).ToList();
        var widths = _columns.Select((_, index) => cells.Max(row => row[index].Length)).ToArray();
        foreach (var row in cells)
        {
            var line = string.Join(
                "  ", row.Select((cell, index) => _columns[index].IsNumber ? cell.PadLeft(widths[index]) : cell.PadRight(widths[index])));
            writer.WriteLine(line.TrimEnd());
        }
    }
}
