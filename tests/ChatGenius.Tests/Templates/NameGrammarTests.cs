using ChatGenius.Db.Templates;

namespace ChatGenius.Tests.Templates;

public class NameGrammarTests
{
    [Theory]
    [InlineData("add_reactions", "create_table", "table=reactions")]
    [InlineData("create_reactions", "create_table", "table=reactions")]
    [InlineData("create_table_reactions", "create_table", "table=reactions")]
    [InlineData("AddReactions", "create_table", "table=reactions")]
    [InlineData("add_message_reactions", "create_table", "table=message_reactions")]
    [InlineData("create_users_with_roles", "blank", "")]
    [InlineData("add_support_for_threads", "blank", "")]
    [InlineData("create_extension_pg_trgm", "blank", "")]
    [InlineData("create_function_now_utc", "blank", "")]
    [InlineData("add_extension_citext", "blank", "")]
    [InlineData("create_type_mood", "blank", "")]
    [InlineData("add_pinned_to_messages", "add_column", "table=messages columns=pinned")]
    [InlineData("add_pinned_and_pinned_at_to_messages", "add_column", "table=messages columns=pinned,pinned_at")]
    [InlineData("add_columns_a_and_b_and_c_to_messages", "add_column", "table=messages columns=a,b,c")]
    [InlineData("add_column_note_to_direct_messages", "add_column", "table=direct_messages columns=note")]
    [InlineData("add_reply_to_id_to_messages", "add_column", "table=messages columns=reply_to_id")]
    [InlineData("add_type_to_channels", "add_column", "table=channels columns=type")]
    [InlineData("add_role_to_users", "add_column", "table=users columns=role")]
    [InlineData("add_required_title_to_users", "add_required_column", "table=users columns=title")]
    [InlineData("make_title_required_in_users", "require_column", "table=users columns=title")]
    [InlineData("make_title_not_null_in_users", "require_column", "table=users columns=title")]
    [InlineData("require_title_and_name_in_users", "require_column", "table=users columns=title,name")]
    [InlineData("remove_title_from_users", "drop_column", "table=users columns=title")]
    [InlineData("drop_title_and_status_from_users", "drop_column", "table=users columns=title,status")]
    [InlineData("drop_column_title_from_users", "drop_column", "table=users columns=title")]
    [InlineData("remove_trigger_touch_from_users", "blank", "")]
    [InlineData("remove_everything", "blank", "")]
    [InlineData("drop_reactions", "drop_table", "table=reactions")]
    [InlineData("drop_table_message_reactions", "drop_table", "table=message_reactions")]
    [InlineData("drop_view_online_users", "blank", "")]
    [InlineData("drop_function_touch", "blank", "")]
    [InlineData("rename_content_to_body_in_messages", "rename_column", "table=messages old_name=content new_name=body")]
    [InlineData("rename_reply_to_to_parent_in_messages", "rename_column", "table=messages old_name=reply_to new_name=parent")]
    [InlineData("rename_invites_to_invitations", "rename_table", "table=invites new_name=invitations")]
    [InlineData("rename_table_direct_messages_to_whispers", "rename_table", "table=direct_messages new_name=whispers")]
    [InlineData("change_price_type_in_orders", "change_column_type", "table=orders old_name=price")]
    [InlineData("change_type_of_price_in_orders", "change_column_type", "table=orders old_name=price")]
    [InlineData("change_price_to_bigint_in_orders", "change_column_type", "table=orders old_name=price type=bigint")]
    [InlineData("change_owner_to_admin_in_users", "blank", "")]
    [InlineData("index_messages_on_user_id", "add_index", "table=messages columns=user_id")]
    [InlineData("index_messages_on_user_id_and_created_at", "add_index", "table=messages columns=user_id,created_at")]
    [InlineData("add_index_to_messages_on_user_id", "add_index", "table=messages columns=user_id")]
    [InlineData("add_index_to_direct_messages_on_sender_id", "add_index", "table=direct_messages columns=sender_id")]
    [InlineData("add_index_on_user_id_to_messages", "add_index", "table=messages columns=user_id")]
    [InlineData("add_user_id_index_to_messages", "add_index", "table=messages columns=user_id")]
    [InlineData("index_messages_on_based_on_id", "add_index", "table=messages columns=based_on_id")]
    [InlineData("add_index_to_messages", "add_index", "table=messages")]
    [InlineData("remove_index_from_messages_on_user_id", "drop_index", "table=messages columns=user_id")]
    [InlineData("drop_index_messages_user_id_idx", "drop_index", "index=messages_user_id_idx")]
    [InlineData("add_unique_to_users_on_email", "add_unique", "table=users columns=email")]
    [InlineData("add_unique_email_to_users", "add_unique", "table=users columns=email")]
    [InlineData("add_unique_index_to_users_on_email_and_name", "add_unique", "table=users columns=email,name")]
    [InlineData("add_unique_constraint_on_email_to_users", "add_unique", "table=users columns=email")]
    [InlineData("add_unique_constraint_to_users", "add_unique", "table=users")]
    [InlineData("make_email_unique_in_users", "add_unique", "table=users columns=email")]
    [InlineData("add_fk_user_id_to_messages", "add_foreign_key", "table=messages columns=user_id")]
    [InlineData("add_foreign_key_to_messages_on_user_id", "add_foreign_key", "table=messages columns=user_id")]
    [InlineData("add_fk_from_messages_to_users", "add_foreign_key", "table=messages references=users")]
    [InlineData("add_fk_to_messages", "add_foreign_key", "table=messages")]
    [InlineData("add_check_to_orders_on_price", "add_check", "table=orders columns=price")]
    [InlineData("add_check_price_to_orders", "add_check", "table=orders columns=price")]
    [InlineData("add_price_check_to_orders", "add_check", "table=orders columns=price")]
    [InlineData("add_check_to_orders", "add_check", "table=orders")]
    [InlineData("validate_orders_price_check_on_orders", "validate_constraint", "table=orders constraint=orders_price_check")]
    [InlineData("create_join_table_channels_users", "create_join_table", "table=channels_users left=channels right=users")]
    [InlineData("create_channels_users_join", "create_join_table", "table=channels_users left=channels right=users")]
    [InlineData("create_join_table_direct_messages_users", "create_join_table",
        "table=direct_messages_users left=direct_messages right=users")]
    [InlineData("join_channels_and_direct_messages", "create_join_table",
        "table=channels_direct_messages left=channels right=direct_messages")]
    [InlineData("create_enum_mood", "create_enum_type", "type=mood")]
    [InlineData("create_mood_enum", "create_enum_type", "type=mood")]
    [InlineData("create_lookup_moods", "create_enum_table", "table=moods")]
    [InlineData("create_enum_table_moods", "create_enum_table", "table=moods")]
    [InlineData("create_view_online_users", "create_view", "view=online_users")]
    [InlineData("create_online_users_view", "create_view", "view=online_users")]
    [InlineData("add_touch_trigger_to_users", "create_trigger", "table=users trigger=touch")]
    [InlineData("create_trigger_touch_on_users", "create_trigger", "table=users trigger=touch")]
    [InlineData("create_partitioned_events", "create_partitioned_table", "table=events")]
    [InlineData("partition_events_by_occurred_at", "create_partitioned_table", "table=events key=occurred_at")]
    [InlineData("enable_rls_on_messages", "enable_row_level_security", "table=messages")]
    [InlineData("enable_row_level_security_on_messages", "enable_row_level_security", "table=messages")]
    [InlineData("add_policy_members_to_channels", "enable_row_level_security", "table=channels policy=members")]
    [InlineData("backfill_kind_in_messages", "backfill", "table=messages columns=kind")]
    [InlineData("backfill_a_and_b_in_messages", "backfill", "table=messages columns=a,b")]
    [InlineData("seed_channels", "insert_rows", "table=channels")]
    [InlineData("insert_defaults_into_channels", "insert_rows", "table=channels rows=defaults")]
    [InlineData("create_users_table", "create_table", "table=users")]
    [InlineData("drop_direct_messages_table", "drop_table", "table=direct_messages")]
    [InlineData("rename_invites_table_to_invitations", "rename_table", "table=invites new_name=invitations")]
    [InlineData("add_email_column_to_users", "add_column", "table=users columns=email")]
    [InlineData("add_email_and_name_columns_to_users", "add_column", "table=users columns=email,name")]
    [InlineData("remove_email_column_from_users", "drop_column", "table=users columns=email")]
    [InlineData("rename_column_content_to_body_on_messages", "rename_column", "table=messages old_name=content new_name=body")]
    [InlineData("drop_index_messages_on_user_id", "drop_index", "table=messages columns=user_id")]
    [InlineData("add_fk_user_id_on_messages", "add_foreign_key", "table=messages columns=user_id")]
    [InlineData("add_not_null_to_email_in_users", "require_column", "table=users columns=email")]
    [InlineData("add_default_to_status_in_users", "blank", "")]
    [InlineData("add_users_email_index", "blank", "")]
    [InlineData("drop_index_on_users_email", "blank", "")]
    [InlineData("add_enum_value_to_mood", "blank", "")]
    [InlineData("tidy_up", "blank", "")]
    [InlineData("add", "blank", "")]
    [InlineData("create", "blank", "")]
    [InlineData("2fa", "blank", "")]
    [InlineData("index_on", "blank", "")]
    [InlineData("add_to_messages", "blank", "")]
    public void A_name_says_its_template_and_values(string name, string template, string said)
    {
        var reading = NameGrammar.Read(name);

        var columns = reading.Columns.Count == 0 ? [] : new[] { $"columns={string.Join(',', reading.Columns)}" };
        var pairs = reading.Values.Select(pair => $"{pair.Key}={pair.Value}").Concat(columns);
        (reading.Template, string.Join(' ', pairs.Order())).ShouldBe((template, string.Join(' ', said.Split(' ').Order())));
    }

    [Theory]
    [InlineData("AddReactions", "add_reactions")]
    [InlineData("addReactions", "add_reactions")]
    [InlineData("add-reactions", "add_reactions")]
    [InlineData("add reactions", "add_reactions")]
    [InlineData("__add__reactions__", "add_reactions")]
    [InlineData("AddHTTPLog", "add_http_log")]
    [InlineData("add_2fa", "add_2fa")]
    [InlineData("Add2FACodes", "add2_fa_codes")]
    public void A_name_becomes_snake_case(string typed, string name) => MigrationName.Normalize(typed).ShouldBe(name);

    [Theory]
    [InlineData("add_réactions", 6, "\"é\"")]
    [InlineData("../add", 1, "\".\"")]
    [InlineData("add/users", 4, "\"/\"")]
    [InlineData("x😀😀", 2, "\"😀\"")]
    [InlineData("a\nb", 2, "U+000A")]
    public void What_can_not_be_a_name_is_a_problem_that_points_at_the_character(string typed, int column, string named)
    {
        var problem = Should.Throw<ProblemException>(() => NameGrammar.Read(typed)).Problems.ShouldHaveSingleItem();

        problem.Code.ShouldBe("CG0801");
        problem.Message.ShouldContain(named);
        problem.Where!.ToString().ShouldBe($"name:1:{column}");
    }

    [Theory]
    [InlineData("")]
    [InlineData("---")]
    public void An_empty_name_is_a_problem(string typed) =>
        Should.Throw<ProblemException>(() => NameGrammar.Read(typed)).Problems[0].Code.ShouldBe("CG0801");

    [Fact]
    public void A_name_that_no_file_system_takes_is_a_problem() =>
        Should.Throw<ProblemException>(() => NameGrammar.Read(new string('a', 201))).Problems[0].Code.ShouldBe("CG0801");
}
