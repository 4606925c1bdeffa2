using System.ComponentModel;
using System.Globalization;
using System.Text.Json;

namespace Architekt.Fabric.Qemu;

/// <summary>The parts of qemu-img(1) the fabric uses.</summary>
/// <param name="binary">Program, by name or path.</param>
public sealed class QemuImg(string binary = "qemu-img")
{
    /// <summary>Creates an empty qcow2 overlay on a raw disk; an existing file is replaced.</summary>
    /// <param name="overlayPath">File to create.</param>
    /// <param name="backingPath">Raw disk, which decides the size. Its full path goes into the overlay's header.</param>
    /// <param name="cancellationToken">Stops qemu-img.</param>
    /// <exception cref="QemuImgException">qemu-img failed or is missing.</exception>
    public Task CreateOverlayAsync(string overlayPath, string backingPath, CancellationToken cancellationToken) =>
        RunAsync(["create", "-q", "-f", "qcow2", "-F", "raw", "-b", Path.GetFullPath(backingPath), Path.GetFullPath(overlayPath)], cancellationToken);

    /// <summary>Says where the raw disk beneath an overlay is now; its content must be the same as where it was.</summary>
    /// <param name="overlayPath">The overlay, in use by nobody.</param>
    /// <param name="backingPath">The raw disk. Its full path goes into the overlay's header.</param>
    /// <param name="cancellationToken">Stops qemu-img.</param>
    /// <exception cref="QemuImgException">qemu-img failed or is missing.</exception>
    public Task SetBackingAsync(string overlayPath, string backingPath, CancellationToken cancellationToken) =>
        RunAsync(["rebase", "-q", "-u", "-f", "qcow2", "-F", "raw", "-b", Path.GetFullPath(backingPath), Path.GetFullPath(overlayPath)], cancellationToken);

    /// <summary>Creates an empty raw file of <paramref name="sizeBytes"/> bytes (a multiple of 512), sparse.</summary>
    /// <exception cref="QemuImgException">qemu-img failed or is missing.</exception>
    public Task CreateRawAsync(string path, long sizeBytes, CancellationToken cancellationToken) =>
        RunAsync(
            ["create", "-q", "-f", "raw", Path.GetFullPath(path), sizeBytes.ToString(CultureInfo.InvariantCulture)], cancellationToken);

    /// <summary>Makes a raw disk, sparse, of an overlay and what lies beneath it. The overlay may be open in a QEMU that does not write to it.</summary>
    /// <param name="overlayPath">A qcow2 image.</param>
    /// <param name="rawPath">File to create; an existing one is replaced.</param>
    /// <param name="cancellationToken">Stops qemu-img.</param>
    /// <exception cref="QemuImgException">qemu-img failed or is missing.</exception>
    public Task FlattenAsync(string overlayPath, string rawPath, CancellationToken cancellationToken) =>
        RunAsync(["convert", "-q", "-U", "-f", "qcow2", "-O", "raw", Path.GetFullPath(overlayPath), Path.GetFullPath(rawPath)], cancellationToken);

    /// <summary>Reads an image's header, also while a VM uses it (the answer may then be outdated).</summary>
    /// <exception cref="QemuImgException">qemu-img failed, is missing, or answered something unexpected.</exception>
    public async Task<QemuImageInfo> InfoAsync(string path, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> arguments = ["info", "--output=json", "--force-share", Path.GetFullPath(path)];
        var output = await RunAsync(arguments, cancellationToken).ConfigureAwait(false);
        try
        {
            return JsonSerializer.Deserialize(output, QemuImgJson.Default.QemuImageInfo) ?? throw new JsonException("null");
        }
        catch (JsonException exception)
        {
            throw new QemuImgException(Describe(arguments), 0, $"unexpected answer: {exception.Message}", exception);
        }
    }

    private async Task<string> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        try
        {
            var (exitCode, output, error) = await ToolProcess.RunAsync(binary, arguments, cancellationToken).ConfigureAwait(false);
            return exitCode == 0 ? output : throw new QemuImgException(Describe(arguments), exitCode, error.Trim());
        }
        catch (Win32Exception exception)
        {
            throw new QemuImgException(Describe(arguments), null, $"{exception.Message}; install the Debian package 'qemu-utils'", exception);
        }
    }

    private string Describe(IReadOnlyList<string> arguments) => $"{binary} {string.Join(' ', arguments)}";
}
