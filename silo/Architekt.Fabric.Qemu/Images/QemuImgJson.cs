using System.Text.Json.Serialization;

namespace Architekt.Fabric.Qemu;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.KebabCaseLower)]
[JsonSerializable(typeof(QemuImageInfo))]
internal sealed partial class QemuImgJson : JsonSerializerContext;
