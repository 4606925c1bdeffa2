namespace Architekt.Fabric.Cli.Output;

/// <summary>The JSON form of a line of a console log.</summary>
internal sealed record LogLine(string Vm, long Epoch, string Line);
