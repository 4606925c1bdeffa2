using System.Text.Json.Serialization;

namespace Architekt.Fabric.Packages;

/// <summary>The one field that every format has.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
internal sealed record FormatProbe(int? FormatVersion);
