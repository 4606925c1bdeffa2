using System.Runtime.InteropServices;
using Architekt.Init.Interop;
using Architekt.InitConfiguration;

namespace Architekt.Init.Boot;

/// <summary>Loads the drivers the blueprint brings.</summary>
internal static class KernelModules
{
    /// <summary>Loads modules in the given order and removes their files: the initramfs is the guest's RAM.</summary>
    /// <remarks>One that does not load is said and left: it may be for hardware this host does not show. If it was needed, the disk will be missing.</remarks>
    internal static void Load(IReadOnlyList<string> names)
    {
        foreach (var name in names)
        {
            var path = $"{InitramfsLayout.Modules}/{name}";
            using var module = LibC.Open(path, LibC.OpenReadOnly | LibC.OpenCloseOnExec, 0);
            if (module.IsInvalid || LibC.LoadModule(LibC.LoadModuleFromFile, module, "\0"u8, 0) != 0)
            {
                var error = Marshal.GetLastPInvokeError();
                if (error != LibC.Exists)
                    GuestConsole.Say($"the module {name} does not load: {Marshal.GetPInvokeErrorMessage(error)}");
            }

            File.Delete(path);
        }
    }
}
