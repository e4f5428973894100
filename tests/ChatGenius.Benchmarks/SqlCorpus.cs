using System.Text;
using ChatGenius.Db.Files;

namespace ChatGenius.Benchmarks;

/// <summary>SQL of known kinds, made the same way every time.</summary>
internal static class SqlCorpus
{
    private const string Ordinary = """
        -- Messages of a workspace, threaded.
        CREATE TABLE IF NOT EXISTS messages (
            id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
            workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
            channel_id UUID REFERENCES channels (id) ON DELETE CASCADE,
            user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
            content TEXT NOT NULL CHECK (length(content) BETWEEN 1 AND 4000),
            ai_generated BOOLEAN DEFAULT false,
            attachments JSONB,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
            updated_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
        );
        CREATE INDEX IF NOT EXISTS messages_channel_id_idx ON messages (channel_id);
        ALTER TABLE messages ADD CONSTRAINT messages_length_check CHECK (char_length(content) <= 4000) NOT VALID;

        /* The trigger keeps updated_at true,
           whatever the application forgets. */
        CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW IS DISTINCT FROM OLD THEN
                NEW.updated_at := CURRENT_TIMESTAMP;
            END IF;
            RETURN NEW;
        END
        $$;
        INSERT INTO users (clerk_id, name, email, display_name, status)
        SELECT 'ai-' || p.slug, p.name, 'ai-' || p.slug || '@chatgenius.local', p.name, 'online'
        FROM (VALUES ('the-hammer', 'The Hammer', 1), ('old-lightning', 'Old Lightning', 2)) AS p (slug, name, position)
        WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.clerk_id = 'ai-' || p.slug)
        ORDER BY p.position
        ON CONFLICT (clerk_id) DO NOTHING;
        UPDATE channels SET type = 'public', updated_at = now() WHERE type IS NULL AND created_at > now() - INTERVAL '30 days';

        """;

    /// <summary>Tables, indexes, a function and some rows: what migrations are made of.</summary>
    public static byte[] OrdinarySql(int bytes) => Repeat(bytes, _ => Ordinary);

    /// <summary>One row a line: <c>INSERT INTO … VALUES (…), (…), …</c>, a statement a thousand rows.</summary>
    public static byte[] Inserts(int bytes) => Repeat(bytes, i =>
        (i % 1000 == 0 ? "INSERT INTO messages (id, user_id, content, score, created_at) VALUES\n" : "")
        + $"    ({i}, {i * 7919 % 1000}, 'Message number {i}, it''s a short one', {i % 100}.25, '2026-01-01 12:00:00+00')"
        + (i % 1000 == 999 ? ";\n" : ",\n")) is var text ? Close(text) : [];

    /// <summary>The same rows behind one <c>COPY … FROM stdin</c>.</summary>
    public static byte[] Copy(int bytes) =>
    [
        .. "COPY messages (id, user_id, content, score, created_at) FROM stdin;\n"u8,
        .. Repeat(bytes, i => $"{i}\t{i * 7919 % 1000}\tMessage number {i}, it's a short one\t{i % 100}.25\t2026-01-01 12:00:00+00\n"),
        .. "\\.\n"u8,
    ];

    /// <summary>A migration file around some SQL.</summary>
    public static byte[] Migration(byte[] up) => [.. "-- migrate:up\n"u8, .. up, .. "\n-- migrate:down\nDROP TABLE messages;\n"u8];

    private static byte[] Repeat(int bytes, Func<int, string> piece)
    {
        var text = new MemoryStream(bytes + 4096);
        for (var i = 0; text.Length < bytes; i++)
        {
            text.Write(Encoding.UTF8.GetBytes(piece(i)));
        }

        return text.ToArray();
    }

    /// <summary>The last row of an unfinished INSERT ends with a comma; a file ends with a statement.</summary>
    private static byte[] Close(byte[] text)
    {
        text[text.AsSpan().LastIndexOfAnyExcept((byte)'\n', (byte)',', (byte)';') + 1] = (byte)';';
        return text;
    }
}
