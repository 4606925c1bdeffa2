namespace Architekt.Fabric.Cli.Output;

/// <summary>Hands on another kind of report, at once.</summary>
internal sealed class Relay<T>(IProgress<ByteProgress> display, Func<T, ByteProgress> translate) : IProgress<T>
{
    public void Report(T value) => display.Report(translate(value));

    /// <summary>None when nothing is to be shown.</summary>
    public static Relay<T>? To(IProgress<ByteProgress>? display, Func<T, ByteProgress> translate) => display is null ? null : new(display, translate);
}
