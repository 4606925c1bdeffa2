namespace Architekt.Fabric.Cli.Output;

/// <summary>How one <typeparamref name="T"/> is printed for people: a field on each line, those without a value left out.</summary>
internal sealed class Details<T>(Func<T, string> id)
{
    private readonly List<(string Label, Func<T, string?> Text)> _fields = [];

    public Func<T, string> Id => id;

    public Details<T> Add(string label, Func<T, string?> text)
    {
        _fields.Add((label, text));
        return this;
    }

    public void Write(TextWriter writer, T value)
    {
        var shown = _fields.Select(field => (field.Label, Text: field.Text(value))).Where(static field => field.Text is not null).ToList();
        if (shown.Count == 0) return;
        var width = shown.Max(static field => field.Label.Length) + 1;
        foreach (var (label, text) in shown) writer.WriteLine($"{(label + ":").PadRight(width)}  {Printable.Of(text!)}");
    }
}
