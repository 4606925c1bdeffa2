using System.Text.Json.Serialization;

namespace Architekt.Fabric.Qemu;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.KebabCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(UriArguments))]
[JsonSerializable(typeof(MigrateContinueArguments))]
[JsonSerializable(typeof(CapabilitiesArguments))]
[JsonSerializable(typeof(NbdServerStartArguments))]
[JsonSerializable(typeof(BlockExportAddArguments))]
[JsonSerializable(typeof(IdArguments))]
[JsonSerializable(typeof(BlockdevAddNbdArguments))]
[JsonSerializable(typeof(NodeNameArguments))]
[JsonSerializable(typeof(BlockdevMirrorArguments))]
[JsonSerializable(typeof(BlockJobCancelArguments))]
[JsonSerializable(typeof(FlatArguments))]
[JsonSerializable(typeof(CpuModelExpansionArguments))]
[JsonSerializable(typeof(CpuModelExpansion))]
[JsonSerializable(typeof(HumanMonitorArguments))]
[JsonSerializable(typeof(QomGetArguments))]
[JsonSerializable(typeof(MigrationParameters))]
[JsonSerializable(typeof(AnnounceParameters))]
[JsonSerializable(typeof(QmpStatus))]
[JsonSerializable(typeof(MigrationInfo))]
[JsonSerializable(typeof(BlockJobInfo[]))]
[JsonSerializable(typeof(BlockNode[]))]
[JsonSerializable(typeof(CpuDefinition[]))]
[JsonSerializable(typeof(string))]
internal sealed partial class QmpJson : JsonSerializerContext;
