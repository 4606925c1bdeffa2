using System.Globalization;

namespace Architekt.Fabric.Simulation.Scheduling;

/// <summary>What happened in a history, a line each; written only for the histories somebody wants to read.</summary>
internal sealed class Trace(bool isOn)
{
    private readonly List<string> _lines = [];

    public bool IsOn => isOn;

    public IReadOnlyList<string> Lines => _lines;

    public void Write(long now, string line) =>
        _lines.Add(string.Create(CultureInfo.InvariantCulture, $"{now / 1000.0,12:0.000} ms  {line}"));
}
