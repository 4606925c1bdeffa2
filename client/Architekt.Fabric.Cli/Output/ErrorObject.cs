namespace Architekt.Fabric.Cli.Output;

internal sealed record ErrorObject(ErrorBody Error);

internal sealed record ErrorBody(string Code, string Message, bool IsTransient);
