using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Architekt.Fabric.Runner;

namespace Architekt.Fabric.Cli.Output;

/// <summary>The JSON forms of everything the command prints. Generated: reflection would cost a tenth of a second at the first object.</summary>
[JsonSerializable(typeof(HostInfo))]
[JsonSerializable(typeof(IReadOnlyList<HostInfo>))]
[JsonSerializable(typeof(HostDeath))]
[JsonSerializable(typeof(PackageInfo))]
[JsonSerializable(typeof(PackageDetail))]
[JsonSerializable(typeof(IReadOnlyList<PackageInfo>))]
[JsonSerializable(typeof(PackageFileDetail))]
[JsonSerializable(typeof(PackageCleaning))]
[JsonSerializable(typeof(IReadOnlyList<PackageCleaning>))]
[JsonSerializable(typeof(ExportedArchive))]
[JsonSerializable(typeof(BlueprintDetail))]
[JsonSerializable(typeof(PackageDiffDetail))]
[JsonSerializable(typeof(VmInfo))]
[JsonSerializable(typeof(IReadOnlyList<VmInfo>))]
[JsonSerializable(typeof(VmOwner))]
[JsonSerializable(typeof(IReadOnlyList<OwnershipEntry>))]
[JsonSerializable(typeof(OperationInfo))]
[JsonSerializable(typeof(OperationDetail))]
[JsonSerializable(typeof(IReadOnlyList<OperationInfo>))]
[JsonSerializable(typeof(FabricEvent))]
[JsonSerializable(typeof(IReadOnlyList<FabricEvent>))]
[JsonSerializable(typeof(LogLine))]
[JsonSerializable(typeof(IReadOnlyList<LogLine>))]
[JsonSerializable(typeof(MigrationReport))]
[JsonSerializable(typeof(CheckpointResult))]
[JsonSerializable(typeof(DrainReport))]
[JsonSerializable(typeof(RunReport))]
[JsonSerializable(typeof(Acknowledgement))]
[JsonSerializable(typeof(ErrorObject))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class CliJson : JsonSerializerContext
{
    public static CliJson Compact { get; } = Create(isIndented: false);

    public static CliJson Indented { get; } = Create(isIndented: true);

    private static CliJson Create(bool isIndented) => new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DictionaryKeyPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = isIndented,
        // The output goes to terminals, files and jq, never into HTML.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters =
        {
            Enum<HostState>(),
            Enum<VmState>(),
            Enum<VmRestart>(),
            Enum<VmAvailability>(),
            Enum<OwnershipChange>(),
            Enum<MigrationPhase>(),
            Enum<OperationOutcome>(),
            Enum<DrainedVmState>(),
            Enum<MemoryBase>(),
            Enum<FabricErrorCode>(),
            Enum<RunStart>(),
            Enum<RunEndKind>(),
        },
    });

    private static JsonStringEnumConverter<T> Enum<T>()
        where T : struct, Enum => new(JsonNamingPolicy.CamelCase);
}
