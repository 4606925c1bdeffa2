using System.Security.Cryptography;

namespace Architekt.Fabric.Client.Migrations;

internal static class OperationId
{
    // Without l, o, i and u: an id is read out, typed again and pasted.
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    /// <summary>A new id, 60 random bits long: unique for as long as a fabric will keep its operations.</summary>
    public static string Create() => $"op-{RandomNumberGenerator.GetString(Alphabet, 12)}";
}
