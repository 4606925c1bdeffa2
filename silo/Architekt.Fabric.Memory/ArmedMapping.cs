using System.Globalization;

namespace Architekt.Fabric.Memory;

/// <summary>What the arming library reports: where a process has its guest RAM under asynchronous write protection.</summary>
/// <param name="Pid">The process, as it sees itself: it has to share this process's PID namespace.</param>
/// <param name="Address">Start of the mapping in that process.</param>
/// <param name="Length">Bytes of the mapping, equal to the size of the RAM file.</param>
/// <param name="UserfaultDescriptor">Number of the userfaultfd in that process (for pidfd_getfd(2)); the protection lasts as long as it is open.</param>
public sealed record ArmedMapping(int Pid, ulong Address, ulong Length, int UserfaultDescriptor)
{
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(2);

    /// <summary>Waits for a report and reads it.</summary>
    /// <param name="path">The <c>reportFile</c> given to <see cref="ArmingLibrary.Environment(string, string, int?, bool)"/>.</param>
    /// <param name="cancellationToken">Sets the deadline; cancel it too when the process ends, for then no report will come.</param>
    /// <exception cref="OperationCanceledException">No report before the token was cancelled.</exception>
    /// <exception cref="InvalidDataException">The file is not a report.</exception>
    public static async Task<ArmedMapping> ReadAsync(string path, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        // The file appears by rename, so it is complete as soon as it is there.
        while (!File.Exists(path))
            await Task.Delay(_interval, cancellationToken).ConfigureAwait(false);
        var text = await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false);
        return Parse(text) ?? throw new InvalidDataException($"{path} is not a report of the arming library: expected 'pid address length descriptor', found '{text.Trim()}'.");
    }

    internal static ArmedMapping? Parse(string text)
    {
        var words = text.TrimEnd('\n').Split(' ');
        return words.Length == 4
            && int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && pid > 0
            && ulong.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var address) && address > 0 && address % GuestMemory.PageSize == 0
            && ulong.TryParse(words[2], NumberStyles.None, CultureInfo.InvariantCulture, out var length) && length > 0 && length % GuestMemory.PageSize == 0
            && length <= long.MaxValue && address <= ulong.MaxValue - length
            && int.TryParse(words[3], NumberStyles.None, CultureInfo.InvariantCulture, out var descriptor)
            ? new ArmedMapping(pid, address, length, descriptor)
            : null;
    }
}
