namespace Architekt.Fabric.Cli.Output;

/// <summary>The JSON form of a command that has nothing else to say than that it is done.</summary>
internal sealed record Acknowledgement(string Name, string Done);
