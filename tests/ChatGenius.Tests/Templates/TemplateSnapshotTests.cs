using System.Globalization;
using System.Text;
using ChatGenius.Db.Migrations;
using ChatGenius.Db.Schema;
using ChatGenius.Db.Templates;
using ChatGenius.Db.Text;
using ChatGenius.Tests.Support;
using Npgsql;

namespace ChatGenius.Tests.Templates;

/// <summary>Every built-in template with several inputs: the text is approved by hand, and runs on a real server on top of the bundle.</summary>
public class TemplateSnapshotTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    /// <summary>The snapshot's name, and a call of <c>new</c> as it would be typed: words divided by two blanks, so that SQL may have single ones.</summary>
    private static readonly Dictionary<string, string> Calls = new()
    {
        ["create_table"] = "add_reactions  message:references  user:references  emoji:text:unique(message,user,emoji)  count:int=0  note:text?",
        ["create_table_bare"] = "CreateBadges",
        ["create_table_full"] =
            "create_orders  buyer:references(users):restrict  order:references(messages)?:setnull  price:numeric(10,2):check(price>0)  state:text=open:index  tags:text[]={}  \"Größe\":int?  number:bigint:identity:unique  due_at:timestamptz=now  meta:jsonb={}",
        ["create_table_guessed"] = "add_polls  channel_id  question  is_open  vote_count  closes_at",
        ["create_join_table"] = "create_join_table_channels_users",
        ["create_join_table_columns"] = "create_join_table_pinned_messages  channel:references  message:references  position:int=0",
        ["add_column"] = "add_pinned_to_messages  pinned:boolean=false  pinned_at:timestamptz?",
        ["add_column_by_name"] = "add_pinned_at_and_pinned_by_id_to_messages  pinned_at:timestamptz?  pinned_by:references(users)?:setnull",
        ["add_column_constrained"] = "add_priority_to_messages  priority:int=0:check(priority>=0):index  external_ref:text?:unique",
        ["add_required_column"] = "add_kind_to_messages  kind:text  --set  value='chat'",
        ["add_required_column_reference"] = "add_required_moderator_to_channels  moderator:references(users)  label:text?  --set  value=(SELECT id FROM users ORDER BY created_at LIMIT 1)",
        ["require_column"] = "make_display_name_and_time_zone_required_in_users",
        ["require_column_reserved"] = "require_read_in_notifications",
        ["drop_column"] = "remove_title_from_users",
        ["drop_column_typed"] = "remove_title_from_users  title:text?",
        ["drop_column_reference"] = "remove_reply_to_id_from_messages  reply_to_id:uuid?:references(messages):setnull:index",
        ["rename_column"] = "rename_content_to_body_in_messages",
        ["rename_column_in_steps"] = "rename_content_to_body_in_messages  body:text",
        ["change_column_type"] = "change_ai_generated_type_in_messages  ai_generated:text",
        ["change_column_type_by_name"] = "change_status_to_varchar_in_users",
        ["rename_table"] = "rename_table_invites_to_invitations",
        ["add_index"] = "index_messages_on_user_id_and_created_at",
        ["add_index_options"] = "add_index_to_messages_on_attachments  --set  method=gin  --set  where=attachments IS NOT NULL",
        ["drop_index"] = "remove_index_from_messages_on_thread_id",
        ["drop_index_by_name"] = "drop_index_messages_thread_id_idx",
        ["add_unique"] = "add_unique_to_users_on_email",
        ["add_unique_columns"] = "add_unique_user_id_and_created_at_to_status_history",
        ["add_foreign_key"] = "add_fk_to_messages_on_reply_to_id  reply_to_id:uuid?:references(messages.id):setnull",
        ["add_foreign_key_by_name"] = "add_fk_owner_id_to_workspaces  --set  references=users",
        ["add_check"] = "add_check_to_channels_on_type  --set  check=type IN ('public', 'private')",
        ["add_check_table"] = "add_check_to_users  --set  check=length(email) < 320  --set  constraint=users_email_length",
        ["validate_constraint"] = "validate_messages_user_id_fkey_on_messages",
        ["create_enum_type"] = "create_enum_channel_kind  public  private  direct  it's",
        ["create_enum_table"] = "create_lookup_channel_kinds  public  private  direct",
        ["create_view"] = "create_view_online_users  id  name  status  --set  where=status = 'online'",
        ["create_view_bare"] = "create_view_recent_messages",
        ["create_trigger"] = "add_touch_trigger_to_messages",
        ["create_trigger_body"] = "create_trigger_on_channels  --set  trigger=lower_slug  --set  events=BEFORE INSERT OR UPDATE  --set  body=NEW.slug := lower(NEW.slug);",
        ["insert_rows"] = "seed_workspaces  name=The Office  slug=office  owner_id=(SELECT id FROM users ORDER BY created_at LIMIT 1)",
        ["insert_rows_quotes"] = "insert_guest_into_users  clerk_id=guest  name=It's a guest  email=guest@chatgenius.local  settings:jsonb={\"a\": 1}",
        ["backfill"] = "backfill_display_name_in_users  --set  value=name",
        ["backfill_columns"] = "backfill_status_and_time_zone_in_users  status=offline  time_zone=UTC",
        ["backfill_unsaid"] = "backfill_title_in_users",
        ["create_partitioned_table"] = "create_partitioned_audit_events  actor:references(users)  action:text",
        ["create_partitioned_table_by_key"] = "partition_visits_by_visited_at  path:text",
        ["enable_row_level_security"] = "enable_rls_on_messages",
        ["enable_row_level_security_policy"] = "add_policy_members_only_to_channels  --set  column=workspace_id  --set  setting=app.workspace",
        ["drop_table"] = "drop_invites",
        ["drop_table_typed"] = "drop_invites  workspace:references  inviter:references(users)  email:text  status:text=pending",
        ["blank"] = "tidy_up",
    };

    /// <summary>What has to go first, so that the migration has something to do.</summary>
    private static readonly Dictionary<string, string> Before = new()
    {
        ["add_foreign_key"] = "ALTER TABLE messages DROP CONSTRAINT messages_reply_to_id_fkey",
        ["add_foreign_key_by_name"] = "ALTER TABLE workspaces DROP CONSTRAINT workspaces_owner_id_fkey",
    };

    public static TheoryData<string> Names => [.. Calls.Keys];

    public static TheoryData<string> Runnable => [.. Calls.Keys.Except(["blank", "backfill_unsaid"])];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_text_is_as_approved(string call)
    {
        var text = new StringBuilder();
        var scaffold = Render(call);
        foreach (var (migration, i) in scaffold.Migrations.Select((migration, i) => (migration, i)))
        {
            text.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? "" : "\n")}-- ==== {6 + i:0000}_{migration.Name}.sql\n{migration.Text}");
        }

        Snapshot.Match(text.ToString(), "sql", call);
    }

    [Theory]
    [MemberData(nameof(Runnable))]
    public async Task Up_down_up_on_top_of_the_bundle_gives_the_same_catalog(string call)
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var connection = await database.ConnectAsync();
        foreach (var migration in MigrationSource.Load(null))
        {
            await RunAsync(connection, migration.Up);
        }

        if (Before.TryGetValue(call, out var sql))
        {
            await database.ExecuteAsync(sql);
        }

        var before = await CatalogAsync(connection);
        var migrations = Render(call).Migrations
            .Select((migration, i) => MigrationParser.Parse(SourceText.From($"{6 + i:0000}_{migration.Name}.sql", migration.Text), MigrationOrigin.Folder))
            .ToList();
        await UpAsync(connection, migrations);
        var after = await CatalogAsync(connection);

        if (migrations.TrueForAll(migration => !migration.Down.Irreversible))
        {
            foreach (var migration in Enumerable.Reverse(migrations))
            {
                await RunAsync(connection, migration.Down);
            }

            var restored = await CatalogAsync(connection);
            if (!call.StartsWith("require_column", StringComparison.Ordinal))
            {
                Sorted(restored).ShouldBe(Sorted(before));
            }

            await UpAsync(connection, migrations);
            (await CatalogAsync(connection)).ShouldBe(after);
        }
    }

    [Fact]
    public void Every_built_in_template_has_a_snapshot() =>
        new TemplateCatalog().List().Select(info => info.Name).ShouldBeSubsetOf(Calls.Keys.Select(call => Render(call).Template.Name));

    [Fact]
    public void Every_template_says_what_it_is_and_shows_an_example()
    {
        foreach (var info in new TemplateCatalog().List())
        {
            info.Summary.ShouldNotBeEmpty(info.Name);
            info.Example.ShouldNotBeNull(info.Name);
        }
    }

    [Fact]
    public void Every_example_of_a_header_renders_with_its_own_template()
    {
        foreach (var info in new TemplateCatalog().List())
        {
            var words = ShellWords.Split(info.Example!);
            words[0].ShouldBe("new");
            Render([.. words.Skip(1)]).Template.Name.ShouldBe(info.Name, info.Example);
        }
    }

    private static Scaffold Render(string call) => Render(Calls[call].Split("  "));

    private static Scaffold Render(string[] words)
    {
        var set = new Dictionary<string, string>();
        var arguments = new List<string>();
        for (var i = 1; i < words.Length; i++)
        {
            if (words[i] == "--set")
            {
                var pair = words[++i].Split('=', 2);
                set[pair[0]] = pair[1];
            }
            else
            {
                arguments.Add(words[i]);
            }
        }

        return new TemplateCatalog().Render(new ScaffoldRequest(words[0], arguments) { Set = set, Now = Now });
    }

    private static async Task UpAsync(NpgsqlConnection connection, List<Migration> migrations)
    {
        foreach (var migration in migrations)
        {
            await RunAsync(connection, migration.Up);
        }
    }

    private static async Task RunAsync(NpgsqlConnection connection, MigrationSection section)
    {
        await using var transaction = section.Transactional ? await connection.BeginTransactionAsync() : null;
        foreach (var statement in section.Script.Statements)
        {
            await using var batch = new NpgsqlBatch(connection, transaction) { BatchCommands = { new NpgsqlBatchCommand(statement.Text) } };
            await batch.ExecuteNonQueryAsync();
        }

        if (transaction is not null)
        {
            await transaction.CommitAsync();
        }
    }

    private static async Task<string> CatalogAsync(NpgsqlConnection connection) => (await SchemaReader.ReadAsync(connection)).ToString();

    /// <summary>A column that comes back stands last in its table, which no SQL can change.</summary>
    private static string Sorted(string catalog) => string.Join('\n', catalog.Split('\n').Select(line => line.TrimEnd(',')).Order(StringComparer.Ordinal));
}
