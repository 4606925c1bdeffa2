using Architekt.Fabric.Blueprints.Layers;
using Architekt.Fabric.Blueprints.Tests.Support;

namespace Architekt.Fabric.Blueprints.Tests.Layers;

/// <summary>Layers, read and laid over each other.</summary>
public abstract class LayerFixture : IDisposable
{
    private readonly TempFolder _folder = new();
    private LayerReader? _reader;

    internal FileTree Tree { get; } = new();

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    internal async Task ApplyAsync(TarBuilder layer)
    {
        using (layer)
            Tree.Apply(await ReadAsync(layer.Build()));
    }

    internal Task<IReadOnlyList<LayerEntry>> ReadAsync(byte[] tar) => ReadAsync(new MemoryStream(tar));

    internal Task<IReadOnlyList<LayerEntry>> ReadAsync(Stream tar) =>
        (_reader ??= new LayerReader(_folder.Path)).ReadAsync(tar, "the layer", TestContext.Current.CancellationToken);

    internal string[] Paths() => [.. Tree.Nodes().Select(node => node.Path)];

    internal string Content(string path) => File.ReadAllText(Tree.Find(path)!.Inode.ContentPath);

    internal static async Task<string> RefusalAsync(BlueprintErrorCode code, Func<Task> action)
    {
        var error = await Assert.ThrowsAsync<BlueprintException>(action);
        Assert.Equal(code, error.Code);
        return error.Message;
    }
}
