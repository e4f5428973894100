using System.Reflection;

namespace ChatGenius.Tests;

/// <summary>What applications build on changes on purpose only, and then in <c>PublicApi.txt</c> as well.</summary>
public class PublicApiTests
{
    private const string File = "src/ChatGenius.Db/PublicApi.txt";

    [Fact]
    public void The_public_surface_is_the_one_in_the_file()
    {
        var api = string.Concat(Types().Select(Describe));
        var received = Path.Combine(Repository.Root, File.Replace(".txt", ".received.txt", StringComparison.Ordinal));
        if (api == Repository.Read(File).ReplaceLineEndings("\n"))
        {
            System.IO.File.Delete(received);
            return;
        }

        System.IO.File.WriteAllText(received, api);
        Assert.Fail($"The public surface has changed. If that is meant: mv {received} {File}");
    }

    [Fact]
    public void It_is_small_and_in_one_namespace()
    {
        Types().Count().ShouldBeLessThanOrEqualTo(25);
        Types().Select(type => type.Namespace).Distinct().ShouldBe(["ChatGenius.Db"]);
    }

    private static IEnumerable<Type> Types() => typeof(Migrator).Assembly.GetExportedTypes().OrderBy(type => type.FullName);

    private static string Describe(Type type)
    {
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static
            | BindingFlags.DeclaredOnly;
        var kind = type.IsEnum ? "enum" : type.IsAbstract && type.IsSealed ? "static class" : type.IsSealed ? "sealed class" : "class";
        var members = type.IsEnum ? type.GetEnumNames()
            : type.GetMembers(Declared).Where(IsSeen).Select(Describe).Order(StringComparer.Ordinal).AsEnumerable();
        return $"{kind} {type.Name}\n{string.Concat(members.Select(member => $"    {member}\n"))}\n";
    }

    /// <summary>Whether others can use it, and it is not one of those that every record has.</summary>
    private static bool IsSeen(MemberInfo member) => member switch
    {
        _ when member.IsDefined(typeof(System.Runtime.CompilerServices.CompilerGeneratedAttribute)) => false,
        ConstructorInfo made => IsOpen(made) && !made.GetParameters().Any(one => one.ParameterType == made.DeclaringType),
        MethodInfo method => IsOpen(method) && !method.IsSpecialName,
        PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsOpen) && property.Name != "EqualityContract",
        FieldInfo field => field.IsPublic,
        _ => false,
    };

    private static bool IsOpen(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Describe(MemberInfo member) => member switch
    {
        ConstructorInfo made => $"new({Parameters(made)})",
        MethodInfo method => $"{(method.IsStatic ? "static " : "")}{Name(method.ReturnType)} {method.Name}({Parameters(method)})",
        PropertyInfo property => (property.GetAccessors(true)[0].IsStatic ? "static " : "")
            + $"{Name(property.PropertyType)} {property.Name}"
            + (property.SetMethod is { } set && IsOpen(set) ? " { get; init; }" : " { get; }"),
        FieldInfo field => $"const {Name(field.FieldType)} {field.Name}",
        _ => throw new ArgumentOutOfRangeException(nameof(member)),
    };

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter =>
        $"{Name(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefaultValue ? " = …" : "")}"));

    private static string Name(Type type) => !type.IsGenericType ? type.Name
        : $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
}
