namespace Architekt.Fabric.Processes;

/// <summary>
/// For tests that have to act in the middle of something: whoever passes waits for as long as a file of the gate's name is there. That it
/// waits is told by a second file, <c>NAME.reached</c>.
/// </summary>
/// <param name="folder">Where the files are; a gate without a file is open.</param>
/// <param name="time">The clock.</param>
public sealed class FileGate(string folder, TimeProvider time)
{
    /// <summary>What is appended to the name of a gate somebody waits at.</summary>
    public const string ReachedSuffix = ".reached";

    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(2);

    /// <summary>Passes the gate, at once if it is open.</summary>
    /// <param name="name">A file name.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task PassAsync(string name, CancellationToken cancellationToken = default)
    {
        var path = Path.Combine(folder, name);
        if (!File.Exists(path)) return;
        await File.WriteAllBytesAsync(path + ReachedSuffix, [], cancellationToken).ConfigureAwait(false);
        while (File.Exists(path)) await Task.Delay(_lookAgain, time, cancellationToken).ConfigureAwait(false);
    }
}
