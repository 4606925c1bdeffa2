namespace Architekt.Fabric.Blueprints.Images;

/// <summary>What an image says of how to start it: image-spec, config.md, "config".</summary>
internal sealed record ExecutionParameters
{
    public string? User { get; init; }

    public IReadOnlyList<string>? Env { get; init; }

    public IReadOnlyList<string>? Entrypoint { get; init; }

    public IReadOnlyList<string>? Cmd { get; init; }

    public string? WorkingDir { get; init; }

    public string? StopSignal { get; init; }
}
