using System.Reflection;

namespace Architekt.Fabric.Client.Tests;

public sealed class PublicSurfaceTests
{
    [Fact]
    public void Signatures_OfAllPublicMembers_ShowNoGrainAndNoOrleansType()
    {
        var offenders = typeof(FabricClient).Assembly.GetExportedTypes()
            .SelectMany(type => type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .SelectMany(member => TypesOf(member).Select(type => (member, type)))
            .Where(use => use.type.Namespace?.StartsWith("Orleans", StringComparison.Ordinal) is true
                || use.type.GetInterfaces().Any(contract => contract.Name == "IGrain"))
            .Select(use => $"{use.member.DeclaringType!.Name}.{use.member.Name}: {use.type}");

        Assert.Empty(offenders);
    }

    [Fact]
    public void Methods_OfTheClient_CanBeMocked()
    {
        var offenders = typeof(FabricClient).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(method => !method.IsVirtual).Select(method => method.Name);

        Assert.Empty(offenders);
    }

    private static IEnumerable<Type> TypesOf(MemberInfo member) => member switch
    {
        MethodBase method => method.GetParameters().Select(parameter => parameter.ParameterType)
            .Append((method as MethodInfo)?.ReturnType ?? typeof(void)).SelectMany(Flatten),
        PropertyInfo property => Flatten(property.PropertyType),
        _ => [],
    };

    private static IEnumerable<Type> Flatten(Type type) => type.GetGenericArguments().SelectMany(Flatten).Append(type);
}
