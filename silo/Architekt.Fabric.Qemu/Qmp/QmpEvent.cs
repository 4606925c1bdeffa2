using System.Text.Json;

namespace Architekt.Fabric.Qemu;

/// <summary>An asynchronous message from QEMU (QMP specification, "Asynchronous events").</summary>
/// <param name="Name">Event name as QEMU spells it, e.g. <c>STOP</c>, <c>MIGRATION</c>, <c>BLOCK_JOB_READY</c>.</param>
/// <param name="Timestamp">When QEMU says it happened, by QEMU's own clock, to the microsecond; the Unix epoch if QEMU could not read its clock.</param>
/// <param name="Data">The event's data; <see cref="JsonValueKind.Undefined"/> if it has none.</param>
public sealed record QmpEvent(string Name, DateTimeOffset Timestamp, JsonElement Data)
{
    /// <summary>The string member <paramref name="member"/> of the data, or null if it is absent or not a string.</summary>
    public string? DataString(string member) =>
        Data.ValueKind == JsonValueKind.Object && Data.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    /// <summary>The state a <c>MIGRATION</c> event announces, or null for any other event.</summary>
    public MigrationStatus? MigrationStatus =>
        Name == QmpEventNames.Migration && DataString("status") is { } status ? QmpEnum<MigrationStatus>.Parse(status) : null;

    /// <summary>Whether this is a block job event of the job <paramref name="jobId"/> (its <c>device</c> member carries the job id).</summary>
    public bool IsForBlockJob(string jobId) => DataString("device") == jobId;
}
