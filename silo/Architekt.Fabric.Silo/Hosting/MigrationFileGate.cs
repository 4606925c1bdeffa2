using Architekt.Fabric.Grains;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Silo;

/// <summary>Gates by the names <c>OPERATION.ACT</c>; only in tests, see <see cref="FabricOptions.FaultGateFolder"/>.</summary>
internal sealed class MigrationFileGate(FileGate gate) : IMigrationGate
{
    public async Task PassAsync(string operation, MigrationAct act) =>
        // On the caller's scheduler, which is a grain's.
        await gate.PassAsync($"{operation}.{act}");
}
