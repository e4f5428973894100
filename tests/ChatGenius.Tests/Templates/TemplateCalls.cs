using ChatGenius.Db.Templates;

namespace ChatGenius.Tests.Templates;

/// <summary>Calls of <c>new</c>, several for every built-in template, that tests of the templates share.</summary>
internal static class TemplateCalls
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    /// <summary>The snapshot's name, and a call of <c>new</c> as it would be typed: words divided by two blanks, so that SQL may have
    /// single ones.</summary>
    internal static readonly Dictionary<string, string> All = new()
    {
        ["create_table"] =
            "add_reactions  message:references  user:references  emoji:text:unique(message,user,emoji)  count:int=0  note:text?",
        ["create_table_bare"] = "CreateBadges",
        ["create_table_full"] =
            "create_orders  buyer:references(users):restrict  order:references(messages)?:setnull  price:numeric(10,2):check(price>0)  "
                + "state:text=open:index  tags:text[]={}  \"Größe\":int?  number:bigint:identity:unique  due_at:timestamptz=now  "
                + "meta:jsonb={}",
        ["create_table_guessed"] = "add_polls  channel_id  question  is_open  vote_count  closes_at",
        ["create_table_quoted"] =
            "create_order  user:references?:setnull  \"select\":text:check(\"select\"<>''):unique(user,select)  \"Ünï\":int?:index  "
            + "when:timestamptz?",
        ["create_table_long"] =
            "create_customer_relationship_management_interactions  very_long_name_of_the_first_column:references(users)  "
                + "very_long_name_of_the_first_columns:references(users)  "
                + "\"größter_Name_der_überhaupt_möglich_wäre_in_diesem_Fall\":text:unique:index(created_at)",
        ["create_join_table"] = "create_join_table_channels_users",
        ["create_join_table_columns"] = "create_join_table_pinned_messages  channel:references  message:references  position:int=0",
        ["add_column"] = "add_pinned_to_messages  pinned:boolean=false  pinned_at:timestamptz?",
        ["add_column_by_name"] = "add_pinned_at_and_pinned_by_id_to_messages  pinned_at:timestamptz?  pinned_by:references(users)?:setnull",
        ["add_column_constrained"] = "add_priority_to_messages  priority:int=0:check(priority>=0):index  external_ref:text?:unique",
        ["add_column_quoted"] =
            "add_order_to_channels  \"order\":int=0:check(\"order\">=0):index(workspace_id,order)  \"user\":references(users)?:setnull",
        ["add_column_varying"] = "add_token_to_invites  token:uuid=gen_random_uuid():unique  note:text?",
        ["add_column_varying_nullable"] = "add_sort_key_to_channels  sort_key:float8?=random()",
        ["add_required_column"] = "add_kind_to_messages  kind:text  --set  value='chat'",
        ["add_required_column_reference"] =
            "add_required_moderator_to_channels  moderator:references(users)  label:text?  --set  value=(SELECT id FROM users ORDER BY "
            + "created_at LIMIT 1)",
        ["require_column"] = "make_display_name_and_time_zone_required_in_users",
        ["require_column_reserved"] = "require_read_in_notifications",
        ["drop_column"] = "remove_title_from_users",
        ["drop_column_typed"] = "remove_title_from_users  title:text?",
        ["drop_column_reference"] = "remove_reply_to_id_from_messages  reply_to_id:uuid?:references(messages):setnull:index",
        ["drop_column_required"] = "remove_content_from_messages  content:text",
        ["drop_column_required_value"] = "remove_email_and_status_from_users  email:text  status:text?=offline  --set  value=''",
        ["rename_column"] = "rename_content_to_body_in_messages",
        ["rename_column_in_steps"] = "rename_content_to_body_in_messages  body:text",
        ["change_column_type"] = "change_ai_generated_type_in_messages  ai_generated:text",
        ["change_column_type_by_name"] = "change_status_to_varchar_in_users",
        ["change_column_type_quoted"] = "change_type_of_type_in_channels  type:varchar(40)",
        ["rename_table"] = "rename_table_invites_to_invitations",
        ["rename_table_quoted"] = "rename_table_status_history_to_user",
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
        ["validate_constraint_definition"] = "validate_channels_type_check_on_channels  --set  definition=CHECK (length(type) > 0)",
        ["create_enum_type"] = "create_enum_channel_kind  public  private  direct  it's",
        ["create_enum_type_quoted"] = "add_order_enum  so so  very good",
        ["create_enum_table"] = "create_lookup_channel_kinds  public  private  direct",
        ["create_enum_table_quoted"] = "create_order_lookup  it's one  \\two",
        ["create_view"] = "create_view_online_users  id  name  status  --set  where=status = 'online'",
        ["create_view_bare"] = "create_view_recent_messages",
        ["create_trigger"] = "add_touch_trigger_to_messages",
        ["create_trigger_body"] =
            "create_trigger_on_channels  --set  trigger=lower_slug  --set  events=BEFORE INSERT OR UPDATE  --set  body=NEW.slug := "
            + "lower(NEW.slug);",
        ["create_trigger_delete"] = "add_keep_trigger_to_messages  --set  events=BEFORE INSERT OR DELETE  --set  body=PERFORM 1;",
        ["insert_rows"] = "seed_workspaces  name=The Office  slug=office  owner_id=(SELECT id FROM users ORDER BY created_at LIMIT 1)",
        ["insert_rows_quotes"] =
            "insert_guest_into_users  clerk_id=guest  name=It's a guest  email=guest@chatgenius.local  settings:jsonb={\"a\": 1}",
        ["backfill"] = "backfill_display_name_in_users  --set  value=name",
        ["backfill_columns"] = "backfill_status_and_time_zone_in_users  status=offline  time_zone=UTC",
        ["backfill_unsaid"] = "backfill_title_in_users",
        ["create_partitioned_table"] = "create_partitioned_audit_events  actor:references(users)  action:text",
        ["create_partitioned_table_by_key"] = "partition_visits_by_visited_at  path:text",
        ["enable_row_level_security"] = "enable_rls_on_messages",
        ["enable_row_level_security_policy"] =
            "add_policy_members_only_to_channels  --set  column=workspace_id  --set  setting=app.workspace",
        ["drop_table"] = "drop_invites",
        ["drop_table_typed"] = "drop_invites  workspace:references  inviter:references(users)  email:text  status:text=pending",
        ["blank"] = "tidy_up",
        ["blank_by_name"] = "AddSupportForThreads",
    };

    /// <summary>What has to go first, so that the migration has something to do.</summary>
    internal static readonly Dictionary<string, string> Before = new()
    {
        ["add_foreign_key"] = "ALTER TABLE messages DROP CONSTRAINT messages_reply_to_id_fkey",
        ["add_foreign_key_by_name"] = "ALTER TABLE workspaces DROP CONSTRAINT workspaces_owner_id_fkey",
        ["add_unique_columns"] =
            "DELETE FROM status_history a USING status_history b WHERE (a.user_id, a.created_at) = (b.user_id, b.created_at) AND a.id > "
            + "b.id",
        ["require_column"] = "UPDATE users SET display_name = name, time_zone = 'UTC' WHERE display_name IS NULL OR time_zone IS NULL",
        ["validate_constraint_definition"] = "ALTER TABLE channels ADD CONSTRAINT channels_type_check CHECK (length(type) > 0) NOT VALID",
    };

    internal static Scaffold Render(string call) => Render(All[call].Split("  "));

    internal static Scaffold Render(string[] words)
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
}
