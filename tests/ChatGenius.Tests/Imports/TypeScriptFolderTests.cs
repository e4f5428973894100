using ChatGenius.Db.Imports;

namespace ChatGenius.Tests.Imports;

/// <summary>Migrations in TypeScript and JavaScript: what is read, to the letter, and what is refused, with its place and reason.</summary>
public class TypeScriptFolderTests
{
    public static TheoryData<string> Cases =>
        [.. Directory.GetDirectories(Path.Combine(AppContext.BaseDirectory, "Cases", "typescript")).Select(path => Path.GetFileName(path))];

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_case_gives_the_file_that_is_expected_to_the_letter(string name)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Cases", "typescript", name);

        TypeScript.Written(File.ReadAllText(Path.Combine(folder, "in.ts")))
            .ShouldBe(File.ReadAllText(Path.Combine(folder, "expected.sql")));
    }

    [Fact]
    public void What_rows_decide_is_refused_where_they_are_kept()
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Cases", "typescript", "rows_decide", "in.ts"));

        var refused = TypeScript.Read(text).Refused.ShouldNotBeNull();

        (refused.Code, refused.Where!.Line, refused.Where.Column, refused.Message)
            .ShouldBe(("CG1506", 4, 9, "what runs here depends on rows of the database"));
    }

    /// <summary>Each does the same in its library's own way.</summary>
    public static TheoryData<string> Forms =>
    [
        "import { sql } from 'drizzle-orm'\nexport async function up(db) { await db.execute(sql`A`); await db.execute(sql`B`) }\n"
            + "export async function down(db) { await db.execute(sql.raw('C')) }",
        "import { MigrateUpArgs, sql } from '@payloadcms/db-postgres'\n"
            + "export async function up({ db, payload }: MigrateUpArgs): Promise<void> { await db.execute(sql`A;\n B;`) }\n"
            + "export async function down({ db }: MigrateUpArgs): Promise<void> { await db.execute(sql`C`) }",
        "export const up = async (sql) => { await sql`A`; await sql.unsafe('B') }\nexport const down = async (sql) => await sql`C`",
        "exports.migrate = async (sql) => { await sql.begin(async sql => { await sql`A`; await sql`B` }) }\n"
            + "exports.rollback = sql => sql`C`",
        "import { Kysely, sql } from 'kysely'\nexport async function up(db: Kysely<any>): Promise<void> {\n"
            + "  await sql<{ id: number }>`A`.execute(db); await sql.raw(`B`).execute(db)\n}\n"
            + "export async function down(db: Kysely<any>) { await sql`C`.execute(db) }",
        "/** @type {import('x')} */\nexports.up = async ({ context: { connection, sql } }) => {\n"
            + "  await connection.query(sql`A`);\n  await connection.query(sql.unsafe`B`);\n};\n"
            + "exports.down = async ({ context: { connection, sql } }) => { await connection.any(sql`C`) };",
        "exports.up = (knex) => knex.schema.raw('A').raw('B')\nexports.down = async knex => { await knex.raw('C') }",
        "const up = (db) => db.raw('A').then(() => db.raw('B'));\nconst down = (db) => db.raw('C');\nmodule.exports = { up, down };",
        "import { MigrationInterface, QueryRunner } from 'typeorm'\n@Migration()\nexport class X1 implements MigrationInterface {\n"
            + "  name = 'X1'\n  public async up(queryRunner: QueryRunner): Promise<void> {\n"
            + "    await queryRunner.query('A'); await queryRunner.manager.query(`B`, [])\n  }\n"
            + "  public async down(queryRunner: QueryRunner) { await queryRunner.query(`C`) }\n}",
        "'use strict';\nmodule.exports = {\n"
            + "  up: (queryInterface, Sequelize) => queryInterface.sequelize.transaction((t) => Promise.all([\n"
            + "    queryInterface.sequelize.query('A', { transaction: t }),\n"
            + "    queryInterface.sequelize.query('B', { transaction: t, type: Sequelize.QueryTypes.RAW })])),\n"
            + "  async down(queryInterface) { await queryInterface.sequelize.query('C') }\n};",
        "import { Migration } from '@mikro-orm/migrations';\nexport class M extends Migration {\n"
            + "  override async up(): Promise<void> { this.addSql('A'); this.addSql(`B`); }\n  async down() { this.addSql('C;'); }\n}",
        "module.exports = {\n  up: async (queryInterface) => {\n    await queryInterface.sequelize.query('A');\n"
            + "    queryInterface.sequelize.query('B')\n  },\n  down: (queryInterface) => { queryInterface.sequelize.query('C') }\n}",
        "import { sql } from 'kysely'\nexport async function up(db) { await sql`A`.execute(db); sql`B`.execute(db) }\n"
            + "export async function down(db) { sql`C`.execute(db) }",
        "exports.shorthands = undefined;\nexports.up = pgm => { pgm.sql('A'); pgm.sql(`B`) };\nexports.down = pgm => pgm.sql('C');",
        "exports.up = function (db, cb) {\n  db.runSql('A', function (err) {\n    if (err) return cb(err);\n"
            + "    db.runSql('B', cb);\n  });\n};\n"
            + "exports.down = function (db, cb) { db.runSql(`C`, [], cb); };\nexports._meta = { version: 1 };",
        "exports.up = async (db) => { await db.runSql('A'); return db.runSql('B') };\nexports.down = (db) => db.runSql('C');",
        "const pool = require('../db');\nexport async function up() {\n  const client = await pool.connect();\n  try {\n"
            + "    await client.query('BEGIN');\n    const result = await client.query('A');\n    console.log('done', result.rowCount);\n"
            + "    await client.query({ text: 'B' });\n    await client.query('COMMIT');\n  } catch (error) {\n"
            + "    await client.query('ROLLBACK');\n    console.error(error);\n    throw error;\n"
            + "  } finally {\n    client.release();\n  }\n}\n"
            + "export async function down() { await pool.query('C') }",
        "import { db } from '..'\nimport { sql } from 'drizzle-orm'\nconst statements = ['A', `B`] as const\n"
            + "const run = (text: string) => db.execute(sql.raw(text))\n"
            + "export async function up() { for (const one of statements) { await run(one) } }\nexport const down = async () => run('C')",
        "export const up = `\n  A;\n  B;\n`\nexport const down = 'C'",
        "exports.up = async (db) => { await Promise.all(['A', 'B'].map((text) => db.execute(text))) }\n"
            + "exports.down = async (db) => { await db.execute([`C`].join('')) }",
        "export default { async up({ context: q }: { context: Q }) { await q.query('A'); await q.query('B') },\n"
            + "  down: async ({ context: q }) => q.query('C') }",
    ];

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_library_is_read_in_its_own_way(string form)
    {
        var text = string.Concat("ABC".Select(letter => letter)).Aggregate(form, (all, letter) => all
            .Replace($"'{letter}'", $"'CREATE TABLE {letter} (id int)'", StringComparison.Ordinal)
            .Replace($"`{letter}`", $"`CREATE TABLE {letter} (id int)`", StringComparison.Ordinal)
            .Replace($"`{letter};", $"`CREATE TABLE {letter} (id int);", StringComparison.Ordinal)
            .Replace($" {letter};", $" CREATE TABLE {letter} (id int);", StringComparison.Ordinal)
            .Replace($"'{letter};", $"'CREATE TABLE {letter} (id int);", StringComparison.Ordinal));

        var read = TypeScript.Read(text);

        read.Refused?.ToString().ShouldBeNull();
        TypeScript.Statements(read.Up).ShouldBe(["CREATE TABLE A (id int)", "CREATE TABLE B (id int)"]);
        TypeScript.Statements(read.Down!).ShouldBe(["CREATE TABLE C (id int)"]);
    }

    /// <summary>The body of an up, and what it sends.</summary>
    public static TheoryData<string, string> Texts => new()
    {
        // What a template stands for, not what is written.
        { @"await db.execute(`SELECT 'a\tb\u0041\x42\u{43}\`\${'`)", "SELECT 'a\tbABC`${';" },
        { "await db.query('SELECT \\'it\\' || \\\n\"x\"')", "SELECT 'it' || \"x\";" },
        { @"await db.query(String.raw`SELECT E'\n'`)", @"SELECT E'\n';" },
        { "await db.query(`SELECT '\r\n'`)", "SELECT '\n';" },
        { "await db.query(`SELECT ${1 + 2}, ${'a' + 1.5 + true + null}`)", "SELECT 3, a1.5truenull;" },

        // Values are values.
        {
            "await db.query('INSERT INTO t VALUES ($1, $2, $3, $1)', ['o\\'b', -2, null])",
            "INSERT INTO t VALUES ('o''b', -2, NULL, 'o''b');"
        },
        { "await db.query('UPDATE t SET a = $1 - $2 WHERE b', [1, -2])", "UPDATE t SET a = '1' - '-2' WHERE b;" },
        {
            "await db.execute(tag`UPDATE t SET a = ${true} WHERE j -> ${0} = ${'x\\\\'}`)",
            @"UPDATE t SET a = 'true' WHERE j -> '0' = E'x\\';"
        },
        { "await db.execute(tag`DROP TABLE ${tag.identifier('a b')}, ${tag.raw('c')}`)", "DROP TABLE \"a b\", c;" },
        { "await db.execute(tag`SELECT ${tag.join([tag`a`, tag`b`], tag`, `)}`)", "SELECT a, b;" },

        // Nothing is added to a text, or taken from it.
        { "await db.query(`SELECT 1 -- last`)", "SELECT 1 -- last\n;" },
        { "await db.query(`SELECT 1; -- last`)", "SELECT 1; -- last" },
        { "await db.query(`SELECT 1;;`)", "SELECT 1;;" },
        { "await db.query(`\n      SELECT 'a\n        b',\n        1\n    `)", "SELECT 'a\n        b',\n  1;" },
        { "await db.query(`\n      /* a\n        b */\n      SELECT 1`)", "/* a\n        b */\nSELECT 1;" },
        { "await db.query(`\n    DO $$\n      BEGIN\n      END\n    $$`)", "DO $$\n      BEGIN\n      END\n    $$;" },
        { "await db.query(`SELECT $1 -- :x ? ${'y'}`)", "SELECT $1 -- :x ? y\n;" },
        { "await db.query('BEGIN; SELECT 1; SELECT 2; COMMIT;')", "SELECT 1; SELECT 2;" },
        { @"await db.raw('SELECT a \\? b')", "SELECT a ? b;" },
        {
            @"await db.raw('UPDATE ?? SET a = ?, b = ? WHERE c \\? 1', ['x.y', 2, 'z'])",
            "UPDATE \"x\".\"y\" SET a = '2', b = 'z' WHERE c ? 1;"
        },
        { "await db.raw('-- nothing')\nawait db.raw('SELECT 1')", "SELECT 1;" },

        // What is known of the file itself.
        { "const o = { t: { name: 'x' } }; const { t: { name: n = 'z' } } = o; await db.query(`SELECT ${n}${o['t'].name}`)", "SELECT xx;" },
        { "const f = ([a, b], { c } = { c: 'q' }) => `${a}${b}${c}`; await db.query(`SELECT ${f(['x', 'y'])}`)", "SELECT xyq;" },
        { "for (const [i, t] of [[1, 'a'], [2, 'b']]) await db.query(`SELECT ${t}, ${i}`)", "SELECT a, 1;\n\nSELECT b, 2;" },
        { "const r = /'`\"[/]\\//g, d = () => 4 / 2 / 1; await db.query('SELECT 1' as string)", "SELECT 1;" },
        {
            "await db.query(`SELECT ${t!}` satisfies string)\nfunction t2(this: X, a?: number): a is string { return `}` }\n"
                + "const t = 'u'", ""
        },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void What_is_sent_is_written(string body, string sql)
    {
        var read = TypeScript.Read($"import {{ sql as tag }} from 'drizzle-orm'\nexport async function up(db: any) {{\n{body}\n}}");

        if (sql.Length == 0)
        {
            read.Refused!.Message.ShouldBe("t is used before it has a value");
            return;
        }

        read.Refused?.ToString().ShouldBeNull();
        read.Up.ShouldBe($"\n{sql}\n");
    }

    /// <summary>The body of an up, and why it is refused.</summary>
    public static TheoryData<string, string> Refusals => new()
    {
        { "const r = await db.query('SELECT 1'); if (r.rows.length) await db.query('SELECT 2')", "depends on rows" },
        { "const r = await db.query('SELECT 1'); await db.query(`SELECT ${r.rows[0].id}`)", "depends on rows" },
        { "const [r] = await Promise.all([db.query('SELECT 1')]); for (const x of r) await db.query('SELECT 2')", "depends on rows" },
        { "await db.query('SELECT 1').then(r => r.rows.map(x => db.query(x)))", "depends on rows" },
        { "(await db.query('SELECT 1')).rows.forEach(r => db.query('SELECT 2'))", "depends on rows" },
        { "await db.query(`SELECT '${new Date().toISOString()}'`)", "the clock decides" },
        { "const now = Date.now(); await db.query(`SELECT ${now}`)", "the clock decides" },
        { "await db.query(`SELECT '${process.env.X}'`)", "the environment decides" },
        { "if (process.env.X) await db.query('SELECT 1')", "the environment decides" },
        { "await db.query(`SELECT ${Math.random()}`)", "what is computed here" },
        { "await db.query('INSERT INTO t VALUES ($1)', [v4()])", "a new id or random value" },
        { "const id = v4(); await db.query(`SELECT '${id}'`); await db.query(`SELECT '${id}'`)", "a new id or random value" },
        { "await db.query(`SELECT '${crypto.randomUUID()}'`)", "a new id or random value" },
        { "await db.schema.createTable('t')", "known to its library alone" },
        { "await db.insert({ a: 1 }).into('t')", "known to its library alone" },
        { "await db.query(fs.readFileSync('x.sql', 'utf8'))", "another file is read" },
        { "await db.query(TABLES)", "TABLES is not known" },
        { "await db.query(text)", "does not say what text is" },
        { "await db.query(helper('x'))", "does not say what helper is" },
        { "await tag`SELECT 1`", "this runs nothing: drizzle-orm" },
        { "tag`SELECT 1`", "this runs nothing: drizzle-orm" },
        { "const q = db.query('SELECT 1'); await db.query('SELECT 2'); await q", "not awaited where it is made" },
        { "db.execute(tag`SELECT 1`)", "not awaited where it is made" },
        { "db.query('SELECT 1'); db.query('SELECT 2')", "nothing waits for this call" },
        { "for (const one of ['SELECT 1', 'SELECT 2']) db.query(one)", "nothing waits for this call" },
        { "run('SELECT 1'); await db.query('SELECT 2'); function run(text) { db.query(text) }", "nothing waits for this call" },
        { "db.raw('SELECT 1'); await db.query('SELECT 2')", "not awaited where it is made" },
        { "['a'].forEach(async t => { await db.query(t) })", "at the same time" },
        { "await Promise.all(['a', 'b'].map(async t => { await db.query(t); await db.query(t) }))", "at the same time" },
        { "await Promise.all([db.query('SELECT 1'), one()]); async function one() { await db.query('SELECT 2') }", "at the same time" },
        { "this.addSql('SELECT 1')", "this is not known" },
        { "db.addSql('SELECT 1'); await db.query('SELECT 2')", "the order is not known" },
        { "try { await db.query('SELECT 1') } catch (e) { console.log(e) }", "swallowed" },
        { "try { await db.query('SELECT 1') } catch (e) { await db.query('SELECT 2'); throw e }", "swallowed" },
        { "await db.query('SELECT 1').catch(() => {})", "swallowed" },
        { "while (true) { await db.query('SELECT 1') }", "while is not read" },
        { "for (let i = 0; i < 3; i++) await db.query('SELECT 1')", "only for (const x of …) is read" },
        { "await db.query(x ? 'SELECT 1' : 'SELECT 2')", "a choice between values is not read" },
        { "await db.query(x || 'SELECT 2')", "x is not known" },
        { "let t = 'a'; t = 'b'; await db.query(t)", "given another value" },
        { "const l = ['a']; l.push('b'); for (const t of l) await db.query(t)", "changed somewhere" },
        { "{ var t = 'SELECT 1' } await db.query(t)", "a var in a block" },
        { "await db.query(t); { const t = 'SELECT 1' }", "t is not known" },
        { "const t = 'a'; { await db.query(t); const t = 'b' }", "used before" },
        { "await db.query('SELECT 1', { replacements: { a: 1 } })", "what replacements changes" },
        { "await db.query('SELECT :a', { bind: [1] })", "what bind changes" },
        { "await db.raw('SELECT ?, ?', [1])", "how its values are put in" },
        { "await db.raw('SELECT ?', [1, 2])", "how its values are put in" },
        { "await db.raw('SELECT $1, ?', [1])", "how its values are put in" },
        { "await db.raw('SELECT ??', ['a as b'])", "what name Knex makes" },
        { "await db.raw('SELECT ?', [new Date()])", "the clock" },
        { "await db.raw('SELECT a ? b')", "Knex takes the question mark" },
        { "await db.query('SELECT $1, $3', ['a', 'b'])", "a parameter in it has no value" },
        { "await db.query(\"SELECT '$1'\", ['a'])", "inside a string" },
        { "await db.execute(tag`SELECT '${'a'}'`)", "inside a string" },
        { "await db.execute(tag`SELECT a -- ${'a'}`)", "inside a string, a name or a comment" },
        { "await db.execute(tag`SELECT x${1}`)", "inside a string, a name" },
        { "await db.execute(tag`CREATE TABLE ${'a'} (id int)`)", "only one INSERT" },
        { "await db.execute(tag`SELECT ${1}; SELECT 2`)", "only one INSERT" },
        { "await db.execute(tag`SELECT ${['a']}`)", "no text, number" },
        { "await db.query(`SELECT ${['a']}`)", "no text and no number" },
        { "await db.query(`SELECT ${1e21}`)", "a number of this form" },
        { "await db.query(`SELECT ${1.50}`)", "a number of this form" },
        { "await db.query(`SELECT ${0.1 + 0.2}`)", "this addition" },
        { "await db.query('SELECT \\08')", "this escape" },
        { "await db.query(`SELECT \\u{zz}`)", "an escape in it" },
        { "await db.query('SELECT \\ud800')", "half a character" },
        { "await db.query('SELECT \\0')", "U+0000" },
        { "await db.query('SELECT (1')", "the SQL can't be read" },
        { "await db.query(\"SELECT 'a\")", "the SQL can't be read" },
        { "await db.query('CREATE TABLE `t` (id int)')", "another database" },
        { "await db.query('CREATE TABLE t (id int AUTO_INCREMENT)')", "another database" },
        { "await db.query('COPY t FROM stdin;\\n1\\n\\\\.\\n')", "COPY FROM stdin" },
        { "await db.query('SELECT 1\\n-- migrate:down\\n')", "an instruction of a migration" },
        { "await db.query('SELECT 1; COMMIT; SELECT 2')", "a transaction begins or ends" },
        { "await db.query('BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT')", "a transaction begins or ends" },
        {
            "const t = await db.transaction(); await db.query('SELECT 1'); await t.commit(); await db.query('SELECT 2')",
            "after its transaction"
        },
        { "await db.transaction({ isolationLevel: 'x' }, async t => { await t.query('SELECT 1') })", "settings of its own" },
        { "throw new Error('no')", "it throws an error" },
        { "console.log(await db.query('SELECT 1'))", "something may run here" },
        { "const f = (n) => f(n + 1); await db.query(f(1))", "takes too long" },
        { "const a = 'xxxxxxxxxxxxxxxx', f = (t, n) => f(t + t); f(a)", "too long" },
        { "await db.query('SELECT 1'); label: for (const x of []) {}", "a label" },
        { "await db.query('SELECT 1', , )", "this is not read" },
        { "await (0, db.query)('SELECT 1')", "several values" },
        { "await db.query`SELECT 1`", "not passed to a call" },
        { "await db.query('a'.concat('b'))", "what concat does here" },
        { "switch (1) { default: await db.query('SELECT 1') }", "switch is not read" },
        { "await db['query']('SELECT 1')", "this value is not known" },
        { "await db.query(...['SELECT 1'])", "" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void What_depends_on_anything_but_the_file_is_refused_with_its_reason(string body, string reason)
    {
        var read = TypeScript.Read("import { sql as tag } from 'drizzle-orm'\nimport { v4 } from 'uuid'\nimport * as fs from 'node:fs'\n"
            + $"import {{ text, helper }} from './texts'\nexport async function up(db: any) {{\n{body}\n}}");

        var refused = read.Refused.ShouldNotBeNull(read.Up);

        refused.Message.ShouldContain(reason);
        refused.Where!.Line.ShouldBeInRange(1, body.Split('\n').Length + 6);
        TypeScript.Statements(read.Up)[^1].ShouldStartWith("DO $$ BEGIN RAISE EXCEPTION");
    }

    /// <summary>Whole files that are refused for what they do as they are loaded, or for what nobody can call.</summary>
    [Theory]
    [InlineData("const a = 'x'; a.b = 1; exports.up = db => db.query('SELECT 1')", "as the file is loaded")]
    [InlineData("require('dotenv').config(); exports.up = db => db.query('SELECT 1')", "as the file is loaded")]
    [InlineData("if (true) { exports.up = db => db.query('SELECT 1') }", "as the file is loaded")]
    [InlineData("const pool = require('./db'); const x = pool.query('SELECT 1'); exports.up = db => db.query('SELECT 1')", "not awaited")]
    [InlineData("exports.up = require('./other').up", "does not say what up is")]
    [InlineData("export * from './other'", "another file exports")]
    [InlineData("module.exports = make({ up: db => db.query('SELECT 1') })", "it exports no up")]
    [InlineData("module.exports = new (class { async up(db) { await db.query('SELECT 1') } })()", "it exports no up")]
    [InlineData("export default class { static async up(db) { await db.query('SELECT 1') } }", "it exports no up")]
    [InlineData("export const a = db => db.query('SELECT 1'), b = db => db.query('SELECT 2')", "it exports no up")]
    [InlineData("export const down = db => db.query('SELECT 1')", "it exports no up")]
    [InlineData("export ;async function up(db) {}\nexport const down = db => db.query('SELECT 1')", "this is not read")]
    [InlineData("export const notes = pgTable('notes', {})", "it exports no up")]
    [InlineData("exports.up = function* (db) { yield db.query('SELECT 1') }", "")]
    [InlineData("class A { get up() { return 1 } }\nexports.up = db => db.query('SELECT 1')", "getter")]
    [InlineData("exports.up = (db) => { db.query('SELECT 1'", "")]
    [InlineData("exports.up = (db) => db.query(`SELECT ${`", "not closed")]
    public void A_file_that_is_not_all_understood_is_refused_whole(string text, string reason) =>
        TypeScript.Read(text).Refused.ShouldNotBeNull().Message.ShouldContain(reason);

    [Theory]
    [InlineData("const f = ", "(", 200000)]
    [InlineData("const f = ", "[", 20000)]
    [InlineData("const f = ", "`${", 20000)]
    [InlineData("const f = ", "a => ", 20000)]
    [InlineData("const f = 1", " + 1", 200000)]
    [InlineData("const f = a", ".b", 200000)]
    [InlineData("const f: ", "A<", 20000)]
    [InlineData("", "{", 20000)]
    [InlineData("", "if (a) ", 20000)]
    public void What_is_nested_without_end_ends_in_a_refusal_or_is_read(string start, string piece, int times) =>
        TypeScript.Read(start + string.Concat(Enumerable.Repeat(piece, times))
            + "\nexports.up = db => db.query('SELECT 1')", mayHaveNone: true).ShouldNotBe(new object());

    [Fact]
    public void A_down_that_is_missing_empty_or_throws_says_why_there_is_no_way_back()
    {
        const string Up = "exports.up = db => db.query('SELECT 1');\n";

        Down("").ShouldBeNull();
        Down("exports.down = null").ShouldBeNull();
        Down("exports.down = async () => {}").ShouldBe("\n-- the down in the file is empty");
        Down("exports.down = () => { throw new Error(`never\n-- back`) }").ShouldBe("\n-- never -- back");
        Down("exports.down = () => Promise.reject(new Error('never'))").ShouldBe("\n-- never");
        Down("exports.down = () => { throw new Error('migrate:down') }").ShouldBe("\n-- : migrate:down");

        string? Down(string text) => TypeScript.Read(Up + text).WhyNoDown;
    }

    [Theory]
    [InlineData("exports.up = db => db.raw('SELECT 1'); exports.config = { transaction: false }")]
    [InlineData("exports.up = db => db.query('CREATE INDEX CONCURRENTLY a ON t (b)')")]
    [InlineData("exports.up = pgm => { pgm.noTransaction(); pgm.sql('SELECT 1') }")]
    [InlineData("export class A { transaction = false as const; async up(q) { await q.query('SELECT 1') } }")]
    [InlineData("export class A extends B { async up() { this.addSql('SELECT 1') }\n isTransactional(): boolean { return false } }")]
    public void What_runs_in_no_transaction_says_so(string text) => TypeScript.Read(text).UpInTransaction.ShouldBeFalse();

    [Theory]
    [InlineData("0006_add_reactions", "0006", "add_reactions")]
    [InlineData("20240101120000-AddReactions", "20240101120000", "add_reactions")]
    [InlineData("1693891895163-Init", "1693891895163", "init")]
    [InlineData("Migration20240524123112", "20240524123112", "migration")]
    [InlineData("AddTags1700000000000", "1700000000000", "add_tags")]
    [InlineData("Migration20240509083918_InitialSetup", "20240509083918", "initial_setup")]
    [InlineData("2022.03.27T14.57.06.hook-table", "20220327145706", "hook_table")]
    [InlineData("20190523-01-add-form", "20190523010000", "add_form")]
    [InlineData("20190523-add-form", "20190523", "add_form")]
    public void Number_and_name_are_found_in_the_file_s_name(string stem, string version, string name)
    {
        using var sandbox = new Sandbox();
        sandbox.Write($"{stem}.js", "exports.up = db => db.query('SELECT 1')");

        var read = TypeScriptFolder.Read(sandbox.Path).Migrations.ShouldHaveSingleItem();

        (read.Version, read.Name).ShouldBe((version, name));
    }

    [Fact]
    public void A_folder_is_taken_in_the_order_of_its_names_without_what_is_no_migration()
    {
        using var sandbox = new Sandbox();
        foreach (var name in (string[])
            ["20190523-01-b.js", "20190522-a.ts", "20190523-02-c.mjs", "index.ts", "20190524-d.test.ts", "20190524-d.d.ts", "in/1_x.js"])
        {
            sandbox.Write(name, "exports.up = db => db.query('SELECT 1')");
        }

        sandbox.Write("20190525-types.ts", "export interface X { up(): void }");

        var read = TypeScriptFolder.Read(sandbox.Path);

        read.Problems.ShouldBeEmpty();
        read.Migrations.Select(one => one.Version).ShouldBe(["20190522000000", "20190523010000", "20190523020000"]);
        read.Notes.ShouldHaveSingleItem().ShouldContain("20190525-types.ts has nothing that runs in an up: left out");
    }

    [Fact]
    public void An_order_that_names_and_numbers_tell_differently_is_a_problem()
    {
        using var sandbox = new Sandbox();
        sandbox.Write("10_a.js", "exports.up = db => db.query('SELECT 1')");
        sandbox.Write("9_b.js", "exports.up = db => db.query('SELECT 1')");

        TypeScriptFolder.Read(sandbox.Path).Problems.ShouldHaveSingleItem().Message.ShouldContain("after it by its number");
    }
}
