using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace ChatGenius.Db.Text;

/// <summary>What the file system says of a file beyond its name and size, where .NET has no word for it.</summary>
/// <param name="Owner">The number of the user that owns it.</param>
/// <param name="Mode">Type and permissions, as stat(2) has them.</param>
/// <param name="Device">The file system that it lies on.</param>
internal sealed partial record UnixFile(uint Owner, uint Mode, ulong Device)
{
    private const uint TypeMask = 0xF000;
    private const int Regular = 0x8000, Directory = 0x4000, WritableByAll = 0x2;

    /// <summary>Whether it is an ordinary file: reading a pipe or a device may wait or never end.</summary>
    public bool IsRegular => (Mode & TypeMask) == Regular;

    /// <summary>Whether it is a folder.</summary>
    public bool IsFolder => (Mode & TypeMask) == Directory;

    /// <summary>Whether everybody may write to it.</summary>
    public bool IsWritableByAll => (Mode & WritableByAll) != 0;

    /// <summary>The user that this process runs as.</summary>
    public static uint Ourselves => OperatingSystem.IsWindows() ? 0 : EffectiveUser();

    /// <summary>Looks at a file; a symbolic link is followed.</summary>
    /// <returns>Null where it is not there, may not be looked at, or the system is Windows.</returns>
    public static unsafe UnixFile? Of(string path)
    {
        const int CurrentFolder = -100;
        const uint BasicFields = 0x7FF;
        Span<byte> data = stackalloc byte[256];
        data.Clear();
        fixed (byte* at = data)
        {
            if (OperatingSystem.IsLinux())
            {
                return Statx(CurrentFolder, path, 0, BasicFields, at) != 0 ? null : new UnixFile(
                    Word(data, 20), BinaryPrimitives.ReadUInt16LittleEndian(data[28..]), ((ulong)Word(data, 136) << 32) | Word(data, 140));
            }

            // Apple's struct stat with 64-bit inodes, which is the only one on arm64.
            return !OperatingSystem.IsMacOS() || Stat(path, at) != 0 ? null
                : new UnixFile(Word(data, 16), BinaryPrimitives.ReadUInt16LittleEndian(data[4..]), Word(data, 0));
        }
    }

    private static uint Word(ReadOnlySpan<byte> data, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(data[offset..]);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(int folder, string path, int flags, uint mask, byte* data);

    [LibraryImport("libc", EntryPoint = "stat", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Stat(string path, byte* data);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();
}
