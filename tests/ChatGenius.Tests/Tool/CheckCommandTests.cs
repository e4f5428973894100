using ChatGenius.Tool;
using Json.Schema;

namespace ChatGenius.Tests.Tool;

public class CheckCommandTests
{
    private const string Bad =
        """
        -- migrate:up
        CREATE INDEX orders_note_idx ON orders (note);
        -- migrate:down
        DROP INDEX orders_note_idx;
        """;

    [Fact]
    public async Task The_bundled_migrations_are_free_of_findings_and_their_downs_restore()
    {
        using var tool = new InProcess();

        var run = await tool.RunAsync("check", "--all", "--shadow", (await TestServer.UrlAsync()).Display, "--fail-on", "info", "--verbose",
            "--json");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        using var json = JsonDocument.Parse(run.Out);
        json.RootElement.GetProperty("findings").GetArrayLength().ShouldBe(0);
        json.RootElement.GetProperty("allowed").GetArrayLength().ShouldBe(0);
        json.RootElement.GetProperty("migrations").EnumerateArray().Select(migration => migration.GetProperty("restores").GetBoolean())
            .ShouldBe([true, true, true, true, true]);
    }

    [Fact]
    public async Task What_breaks_on_made_up_rows_is_told_beside_the_rest_and_each_hazard_of_a_statement_once()
    {
        using var tool = new InProcess();
        tool.Write("chatgenius-db.json", """{ "bundle": false, "check": { "start_after": 1 } }""");
        tool.Write("migrations/0001_given.sql",
            "-- migrate:up\nCREATE TABLE p (id bigint PRIMARY KEY, code text, n text);\n-- migrate:down irreversible:true\n");
        tool.Write("migrations/0002_case.sql",
            """
            -- migrate:up
            ALTER TABLE p ALTER COLUMN code TYPE int USING code::int;
            ALTER TABLE p ALTER COLUMN n SET NOT NULL;
            -- migrate:down irreversible:true
            """);

        var run = await tool.RunAsync("check", "--all", "--made-up", "--json");

        using var json = JsonDocument.Parse(run.Out);
        var told = json.RootElement.GetProperty("findings").EnumerateArray()
            .Select(finding => $"{finding.GetProperty("id").GetString()} {finding.GetProperty("line").GetInt32()}").ToList();
        told.ShouldBeUnique();
        told.ShouldContain("F111 2");
        told.ShouldContain("L305 2");
        told.ShouldContain("L203 3");
        told.ShouldContain("F102 3");
    }

    [Fact]
    public async Task A_finding_is_printed_with_its_place_the_lock_and_the_safe_way_and_the_exit_code_is_1()
    {
        using var tool = await ToolAsync(Bad);

        var run = await tool.RunAsync("check", "--no-bundle", "--shadow", tool.Environment["SHADOW"]);

        run.ExitCode.ShouldBe(ExitCode.Differs, run.Error);
        Snapshot.Match(run.Out, "txt");
        run.Error.ShouldMatch(@"^2 migrations checked in .*: 1 error\n$");
    }

    [Fact]
    public async Task Json_has_what_a_program_needs()
    {
        using var tool = await ToolAsync(Bad);

        var run = await tool.RunAsync("check", "--no-bundle", "--shadow", tool.Environment["SHADOW"], "--json");

        run.ExitCode.ShouldBe(ExitCode.Differs, run.Error);
        using var json = JsonDocument.Parse(run.Out);
        var finding = json.RootElement.GetProperty("findings").EnumerateArray().ShouldHaveSingleItem();
        finding.GetProperty("id").GetString().ShouldBe("L101");
        finding.GetProperty("rule").GetString().ShouldBe("index-blocks-writes");
        finding.GetProperty("severity").GetString().ShouldBe("error");
        finding.GetProperty("evidence").GetString().ShouldBe("traced");
        finding.GetProperty("version").GetInt64().ShouldBe(2);
        finding.GetProperty("line").GetInt32().ShouldBe(2);
        finding.GetProperty("column").GetInt32().ShouldBe(1);
        finding.GetProperty("file").GetString()!.ShouldEndWith("0002_bad.sql");
        finding.GetProperty("safe_way").GetString()!.ShouldContain("CONCURRENTLY");
        var locks = json.RootElement.GetProperty("migrations")[1].GetProperty("statements")[0].GetProperty("locks").EnumerateArray()
            .ShouldHaveSingleItem();
        locks.GetProperty("table").GetString().ShouldBe("orders");
        locks.GetProperty("mode").GetString().ShouldBe("SHARE");
    }

    [Fact]
    public async Task Sarif_names_rules_places_and_what_is_allowed()
    {
        using var tool = await ToolAsync(Bad.Replace("CREATE INDEX", "-- cgdb:allow L101: nobody writes at night\nCREATE INDEX",
            StringComparison.Ordinal));

        var run = await tool.RunAsync("check", "--no-bundle", "--shadow", tool.Environment["SHADOW"], "--sarif");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        using var json = JsonDocument.Parse(run.Out);
        json.RootElement.GetProperty("version").GetString().ShouldBe("2.1.0");
        var log = json.RootElement.GetProperty("runs")[0];
        var rule = log.GetProperty("tool").GetProperty("driver").GetProperty("rules").EnumerateArray().ShouldHaveSingleItem();
        rule.GetProperty("id").GetString().ShouldBe("L101");
        rule.GetProperty("defaultConfiguration").GetProperty("level").GetString().ShouldBe("error");
        var result = log.GetProperty("results").EnumerateArray().ShouldHaveSingleItem();
        result.GetProperty("ruleIndex").GetInt32().ShouldBe(0);
        var place = result.GetProperty("locations")[0].GetProperty("physicalLocation");
        place.GetProperty("artifactLocation").GetProperty("uri").GetString().ShouldBe("migrations/0002_bad.sql");
        place.GetProperty("region").GetProperty("startLine").GetInt32().ShouldBe(3);
        var suppression = result.GetProperty("suppressions").EnumerateArray().ShouldHaveSingleItem();
        suppression.GetProperty("kind").GetString().ShouldBe("inSource");
        suppression.GetProperty("justification").GetString().ShouldBe("nobody writes at night");
    }

    [Fact]
    public async Task Sarif_is_valid_by_the_schema_of_the_standard()
    {
        using var tool = await ToolAsync(
            "-- migrate:up\n-- cgdb:allow L101: nobody writes at night\nCREATE INDEX \"a b\" ON orders (note);\nALTER TABLE orders DROP "
                + "COLUMN note;\n-- migrate:down\nSELECT 1;\n",
            "-- migrate:up\nSELECT 1 / 0;\n-- migrate:down\nSELECT 1;\n");
        var schema = JsonSchema.FromFile(Path.Combine(AppContext.BaseDirectory, "sarif-2.1.0.json"));

        var run = await tool.RunAsync("check", "--no-bundle", "--shadow", tool.Environment["SHADOW"], "--sarif");

        Violations(schema, run.Out).ShouldBeEmpty();
        run.Out.ShouldContain("\"suppressions\"");
        run.Out.ShouldContain("F111");
        Violations(schema, run.Out.Replace("\"level\": \"error\"", "\"level\": \"severe\"", StringComparison.Ordinal)).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task On_GitHub_findings_become_annotations_that_hold_on_one_line()
    {
        using var tool = await ToolAsync(Bad);
        tool.Environment["GITHUB_ACTIONS"] = "true";

        var run = await tool.RunAsync("check", "--no-bundle", "--shadow", tool.Environment["SHADOW"], "--json");

        var annotation = run.Error.Split('\n').Where(line => line.StartsWith("::", StringComparison.Ordinal)).ShouldHaveSingleItem();
        annotation.ShouldStartWith(
            "::error file=migrations/0002_bad.sql,line=2,col=1,title=L101 index-blocks-writes::Building the index orders_note_idx stops "
            + "writes to orders%0A");
        JsonDocument.Parse(run.Out).Dispose();
    }

    [Fact]
    public async Task The_page_needs_nothing_from_elsewhere_and_escapes_what_it_shows()
    {
        using var tool = await ToolAsync(Bad.Replace("orders_note_idx", "\"<script>alert(1)</script>\"", StringComparison.Ordinal));

        var run = await tool.RunAsync("check", "--no-bundle", "--shadow", tool.Environment["SHADOW"], "--html", "check.html");

        run.ExitCode.ShouldBe(ExitCode.Differs, run.Error);
        var page = File.ReadAllText(Path.Combine(tool.Folder, "check.html"));
        page.ShouldNotContain("<script");
        page.ShouldContain("&lt;script&gt;");
        page.ShouldNotContain("src=");
        page.ShouldContain("lang=\"en\"");
        page.ShouldContain("prefers-color-scheme: dark");
    }

    [NeedsTheory(Need.Browser)]
    [InlineData(1200, false)]
    [InlineData(500, false)]
    [InlineData(1200, true)]
    public async Task The_page_is_readable_in_a_browser(int width, bool dark)
    {
        using var tool =
            await ToolAsync(Bad,
            $"-- migrate:up\n-- cgdb:allow L202: few rows\nALTER TABLE orders ADD COLUMN a_rather_{new string('x', 80)} int DEFAULT 1 "
            + "CHECK (id > 0);\nALTER TABLE orders DROP COLUMN note;\n-- migrate:down irreversible:true\n");

        var run = await tool.RunAsync("check", "--no-bundle", "--shadow", tool.Environment["SHADOW"], "--html", "check.html");

        run.ExitCode.ShouldBe(ExitCode.Differs, run.Error);
        await Browser.ShouldBeReadableAsync(File.ReadAllText(Path.Combine(tool.Folder, "check.html")), width, dark);
    }

    [Theory]
    [InlineData("error", 0)]
    [InlineData("warning", 1)]
    public async Task Fail_on_says_from_which_severity_the_exit_code_is_1(string level, int expected)
    {
        using var tool =
            await ToolAsync(
            "-- migrate:up\nALTER TABLE orders ALTER COLUMN id DROP IDENTITY;\nALTER TABLE orders ALTER COLUMN made_at DROP NOT NULL;\n-- "
            + "migrate:down irreversible:true\n");

        (await tool.RunAsync("check", "--no-bundle", "--shadow", tool.Environment["SHADOW"], "--fail-on", level))
            .ExitCode.ShouldBe((ExitCode)expected);
    }

    [Fact]
    public async Task Only_what_is_pending_is_checked_where_a_history_tells()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = await ToolAsync(Bad);
        tool.Environment["CHATGENIUS_DATABASE_URL"] = database.Url.Display;
        (await tool.RunAsync("apply", "--no-bundle", "--to", "1")).ExitCode.ShouldBe(ExitCode.Done);

        var run = await tool.RunAsync("check", "--no-bundle", "--shadow", tool.Environment["SHADOW"], "--json");

        using var json = JsonDocument.Parse(run.Out);
        json.RootElement.GetProperty("migrations").EnumerateArray().Select(migration => migration.GetProperty("version").GetInt64())
            .ShouldBe([2]);
    }

    [Fact]
    public async Task With_data_the_rows_of_the_target_are_there_and_its_sizes_count()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool =
            await ToolAsync(
            "-- migrate:up\nCREATE UNIQUE INDEX orders_note_key ON orders (note);\n-- migrate:down\nDROP INDEX orders_note_key;\n");
        tool.Environment["CHATGENIUS_DATABASE_URL"] = database.Url.Display;
        (await tool.RunAsync("apply", "--no-bundle", "--to", "1")).ExitCode.ShouldBe(ExitCode.Done);
        await database.ExecuteAsync("INSERT INTO orders (note) VALUES ('twice'), ('twice'); ANALYZE");

        var run = await tool.RunAsync("check", "--no-bundle", "--shadow", tool.Environment["SHADOW"], "--target", database.Url.Display,
            "--data", "--json");

        run.ExitCode.ShouldBe(ExitCode.Differs, run.Error);
        using var json = JsonDocument.Parse(run.Out);
        var failure = json.RootElement.GetProperty("findings").EnumerateArray()
            .Single(finding => finding.GetProperty("id").GetString() == "F111");
        failure.GetProperty("message").GetString()!.ShouldContain("23505");
    }

    [Fact]
    public async Task Made_up_rows_show_what_a_migration_does_to_rows()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = await ToolAsync("-- migrate:up\nUPDATE orders SET note = '';\n-- migrate:down irreversible:true\n");
        tool.Environment["CHATGENIUS_DATABASE_URL"] = database.Url.Display;
        (await tool.RunAsync("apply", "--no-bundle", "--to", "1")).ExitCode.ShouldBe(ExitCode.Done);

        var run = await tool.RunAsync("check", "--no-bundle", "--shadow", tool.Environment["SHADOW"], "--made-up", "--json");

        run.Error.ShouldContain("Made up 1,000 rows in 1 table\n");
        using var json = JsonDocument.Parse(run.Out);
        var update = json.RootElement.GetProperty("findings").EnumerateArray()
            .Single(finding => finding.GetProperty("id").GetString() == "L409");
        update.GetProperty("facts").EnumerateArray().Select(fact => fact.GetString()).ShouldContain("1,000 rows updated in orders");
    }

    [Fact]
    public async Task Since_a_revision_only_changed_files_are_checked()
    {
        using var tool = await ToolAsync(Bad);
        await GitAsync(tool.Folder, "init", "-q");
        await GitAsync(tool.Folder, "add", "migrations/0001_orders.sql");
        await GitAsync(tool.Folder, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "first");

        var changed = await tool.RunAsync("check", "--no-bundle", "--shadow", tool.Environment["SHADOW"], "--since", "HEAD", "--json");
        var unknown = await tool.RunAsync("check", "--no-bundle", "--shadow", tool.Environment["SHADOW"], "--since", "nowhere", "--json");

        using var json = JsonDocument.Parse(changed.Out);
        json.RootElement.GetProperty("migrations").EnumerateArray().Select(migration => migration.GetProperty("version").GetInt64())
            .ShouldBe([2]);
        unknown.ExitCode.ShouldBe(ExitCode.Error);
        unknown.Out.ShouldContain("CG1212");
    }

    [Fact]
    public async Task What_was_certified_may_be_applied_and_what_does_more_is_rolled_back()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var tool = await ToolAsync(
            "-- migrate:up\n-- cgdb:allow F102: all rows have a note\nALTER TABLE orders ALTER COLUMN note SET NOT NULL;\n-- "
                + "migrate:down\nALTER TABLE orders ALTER COLUMN note DROP NOT NULL;\n",
            "-- migrate:up\nALTER TABLE orders ADD CONSTRAINT proof CHECK (note IS NOT NULL);\n-- migrate:down\nALTER TABLE orders DROP "
                + "CONSTRAINT proof;\n");
        tool.Environment["CHATGENIUS_DATABASE_URL"] = database.Url.Display;
        var uncertified = await tool.RunAsync("apply", "--no-bundle", "--certified");
        uncertified.ExitCode.ShouldBe(ExitCode.Error);
        uncertified.Error.ShouldContain("CG1213");
        File.Move(Path.Combine(tool.Folder, "migrations/0002_bad.sql"), Path.Combine(tool.Folder, "migrations/0004_last.sql"));
        var check = await tool.RunAsync("check", "--no-bundle", "--shadow", tool.Environment["SHADOW"], "--certify");
        File.Exists(Path.Combine(tool.Folder, "migrations/0001_orders.trace.json")).ShouldBeTrue(check.Error);
        File.Exists(Path.Combine(tool.Folder, "migrations/0004_last.trace.json")).ShouldBeTrue(check.Error);
        (await tool.RunAsync("plan", "--no-bundle"))
            .Out.ShouldContain("-- ACCESS EXCLUSIVE on public.orders\nALTER TABLE orders ALTER COLUMN note");
        (await tool.RunAsync("apply", "--no-bundle", "--to", "3")).ExitCode.ShouldBe(ExitCode.Done);
        await database.ExecuteAsync("ALTER TABLE orders DROP CONSTRAINT proof");

        var more = await tool.RunAsync("apply", "--no-bundle", "--certified");

        more.ExitCode.ShouldBe(ExitCode.Error);
        more.Error.ShouldContain("CG0515");
        more.Error.ShouldContain("public.orders was read whole, which is not certified");
        await database.ExecuteAsync("ALTER TABLE orders ADD CONSTRAINT proof CHECK (note IS NOT NULL)");
        (await tool.RunAsync("apply", "--no-bundle", "--certified")).ExitCode.ShouldBe(ExitCode.Done);
    }

    [Fact]
    public async Task Of_the_throw_away_database_nothing_stays_not_even_a_role()
    {
        await using var database = await TestDatabase.CreateAsync();
        var role = $"cg_test_role_{Guid.NewGuid():N}";
        using var tool =
            await ToolAsync($"-- migrate:up\nCREATE ROLE {role};\nGRANT SELECT ON orders TO {role};\n-- migrate:down irreversible:true\n");

        var run = await tool.RunAsync("check", "--no-bundle", "--shadow", tool.Environment["SHADOW"]);

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        (await database.ScalarAsync<bool>($"SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_role_that_may_create_databases_and_no_more_sees_locks_scans_and_the_round_trip()
    {
        await using var database = await TestDatabase.CreateAsync();
        var role = $"cg_test_role_{Guid.NewGuid():N}";
        await database.ExecuteAsync($"CREATE ROLE {role} LOGIN CREATEDB PASSWORD 'secret'");
        try
        {
            using var tool = await ToolAsync(
                "-- migrate:up\nALTER TABLE orders ADD COLUMN pieces int DEFAULT 1 CHECK (pieces > 0);\n-- migrate:down\nALTER TABLE "
                    + "orders DROP COLUMN pieces;\n",
                "-- migrate:up\nCREATE ROLE cg_test_reporter;\n-- migrate:down\nDROP ROLE cg_test_reporter;\n");
            tool.Environment["CHATGENIUS_DATABASE_URL"] = database.Url.Display;
            (await tool.RunAsync("apply", "--no-bundle", "--to", "1")).ExitCode.ShouldBe(ExitCode.Done);
            var shadow = DatabaseUrl.Of(database.Url.Host, database.Url.Port, role, "postgres", "secret").ConnectionString;

            var run = await tool.RunAsync("check", "--no-bundle", "--shadow", shadow, "--made-up", "--json");

            run.ExitCode.ShouldBe(ExitCode.Differs, run.Error);
            run.Error.ShouldContain("Made up 1,000 rows in 1 table\n");
            using var json = JsonDocument.Parse(run.Out);
            json.RootElement.GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("id").GetString())
                .ShouldBe(["L202", "M108"]);
        }
        finally
        {
            await database.ExecuteAsync($"DROP ROLE {role}");
        }
    }

    [Fact]
    public async Task Rules_are_printed_without_a_database()
    {
        using var tool = new InProcess();

        var run = await tool.RunAsync("check", "--rules");

        run.ExitCode.ShouldBe(ExitCode.Done);
        run.Out.ShouldBe(ChatGenius.Db.Safety.RulesPage.Write());
    }

    private static List<string> Violations(JsonSchema schema, string json)
    {
        using var document = JsonDocument.Parse(json);
        var result = schema.Evaluate(document.RootElement, new EvaluationOptions { OutputFormat = OutputFormat.List,
            RequireFormatValidation = true });
        return result.IsValid ? [] : [.. (result.Details ?? [])
            .SelectMany(detail => (detail.Errors ?? []).Select(error => $"{detail.InstanceLocation}: {error.Value}"))];
    }

    private static async Task<InProcess> ToolAsync(string second, string? third = null)
    {
        var tool = new InProcess();
        tool.Environment["SHADOW"] = (await TestServer.UrlAsync()).Display;
        tool.Write("migrations/0001_orders.sql",
            "-- migrate:up\nCREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text, made_at timestamptz NOT "
            + "NULL DEFAULT now());\n-- migrate:down\nDROP TABLE orders;\n");
        tool.Write("migrations/0002_bad.sql", second);
        if (third is not null)
        {
            tool.Write("migrations/0003_more.sql", third);
        }

        return tool;
    }

    private static async Task GitAsync(string folder, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("git",
            arguments) { WorkingDirectory = folder })!;
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0);
    }
}
