using ChatGenius.Db;
using ChatGenius.Db.Imports;
using ChatGenius.Db.Text;

namespace ChatGenius.Tests.Imports;

/// <summary>
/// Random files of which it is known what they send, and the same files with something changed: a change is refused, or is one that leaves
/// the SQL as it is. <c>CHATGENIUS_TEST_CASES</c> asks for more of them.
/// </summary>
public class TypeScriptPropertyTests
{
    [Fact]
    public void A_random_file_gives_the_SQL_that_it_was_made_from()
    {
        for (var i = 0; i < Chance.Cases(300); i++)
        {
            var made = new RandomMigration(Chance.Seed + i);

            var read = TypeScript.Read(made.Text, mayHaveNone: made.Up.Count == 0);

            read.Refused.ShouldBeNull($"seed {Chance.Seed + i}\n{read.Refused}\n{made.Text}");
            var file = $"seed {Chance.Seed + i}\n{made.Text}";
            TypeScript.Tokens(read.Up).ShouldBe(TypeScript.Tokens(string.Join("\n;", made.Up)), file);
            TypeScript.Tokens(read.Down ?? "").ShouldBe(made.Up.Count == 0 ? [] : TypeScript.Tokens(string.Join("\n;", made.Down)), file);
        }
    }

    /// <summary>What is put between two statements of a file: it changes what runs, or could.</summary>
    private static readonly string[] Intruders =
    [
        "if (await db.query('SELECT 1')) { return }", "if (process.env.CI) return",
        "const id = randomUUID(); await db.query(`SELECT '${id}'`)",
        "await db.createTable('x')", "await db.query(`SELECT ${Date.now()}`)",
        // Nothing waits for it, and more comes after it: only what is the last is sent for certain.
        "db.query('SELECT 9'); await db.query('SELECT 10')", "for await (const x of y) {}",
        "while (false) {}", "const { rows } = await db.query('SELECT 1'); for (const r of rows) await db.query(r)", "await other(db)",
        "await db.query('SELECT 1').catch(() => {})", "try { await db.query('SELECT 1') } catch {}", "await db.query('SELECT 1', [now])",
        "globalThis.x = 1", "await db.query(x ? 'a' : 'b')", "throw new Error('x')",
        "await db.query('SELECT 1; ROLLBACK')", "await tag`SELECT 1`",
        "label: await db.query('SELECT 1')", "await import('./x')", "yield", "delete db.x", "new Foo(db)",
        "void db.query('SELECT 1')",
    ];

    [Fact]
    public void A_statement_that_can_t_be_told_refuses_the_file_wherever_it_is()
    {
        for (var i = 0; i < Chance.Cases(300); i++)
        {
            var made = new RandomMigration(Chance.Seed + i);
            var intruder = Intruders[i % Intruders.Length];
            var at = made.Random.Next(made.Places.Count);
            var text = made.Text.Insert(made.Places[at], $"\n{intruder}\n");

            TypeScript.Read(text).Refused.ShouldNotBeNull($"seed {Chance.Seed + i}\n{text}");
        }
    }

    private const string Signs = "(){}[];,.`'\"\\$/*-+=!?:<>&|\n x0";

    [Fact]
    public void A_character_less_or_more_is_refused_or_changes_just_what_it_is_in()
    {
        for (var i = 0; i < Chance.Cases(200); i++)
        {
            var made = new RandomMigration(Chance.Seed + i);
            var at = made.Random.Next(made.Text.Length);
            var outside = made.Random.Next(2) == 0 ? made.Text.Remove(at, 1)
                : made.Text.Insert(at, Signs[made.Random.Next(Signs.Length)].ToString());
            ImportedMigration read;
            try
            {
                read = TypeScript.Read(outside, mayHaveNone: true);
            }
            catch (ProblemException)
            {
                continue;
            }

            // A character changes the text that it is in, once for each turn of a loop; it never brings or takes other statements.
            if (read.Refused is null && made.Up.Count > 0)
            {
                Nearest.Distance(Bare(string.Concat(made.Up)), Bare(read.Up))
                    .ShouldBeLessThan(48, $"seed {Chance.Seed + i}, {at}: {read.Up}\n{outside}");
            }
        }
    }

    private static string Bare(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c) && c != ';'));

    /// <summary>A migration that is made of statements that are written down first.</summary>
    private sealed class RandomMigration
    {
        private readonly StringBuilder _text = new();
        private int _names;

        public RandomMigration(int seed)
        {
            Random = new Random(seed);
            _text.Append("import { sql as tag } from 'drizzle-orm'\nimport type { X } from './x'\n// it's `a` comment\n/* \" */\n");
            Function("up", Up);
            Function("down", Down);
            Text = _text.ToString();
        }

        public Random Random { get; }

        public string Text { get; }

        public List<string> Up { get; } = [];

        public List<string> Down { get; } = [];

        /// <summary>Where a statement of up may begin.</summary>
        public List<int> Places { get; } = [];

        private bool Coin => Random.Next(2) == 0;

        private string Pick(params string[] choices) => choices[Random.Next(choices.Length)];

        private string Name() => $"n{_names++}";

        private void Function(string name, List<string> statements)
        {
            _text.Append(Pick($"export async function {name}(db: any): Promise<void> {{\n", $"export const {name} = async (db) => {{\n",
                $"exports.{name} = async function (db, cb?: () => void) {{\n"));
            Statements(statements, "db", Random.Next(1, 6), 0, name == "up");
            _text.Append("}\n");
        }

        private void Statements(List<string> statements, string db, int count, int depth, bool isUp)
        {
            for (var i = 0; i < count; i++)
            {
                if (isUp && depth == 0)
                {
                    Places.Add(_text.Length);
                }

                switch (Random.Next(depth > 1 ? 5 : 9))
                {
                    case 0: Constant(statements, db); break;
                    case 1: Parameters(statements, db); break;
                    case 2 or 3 or 4: _text.Append($"  await {Call(db, Literal(Add(statements)))}{Pick(";", "")}\n"); break;
                    case 5: Loop(statements, db); break;
                    case 6:
                        var inner = Name();
                        _text.Append($"  await {db}.transaction(async ({inner}) => {{\n");
                        Statements(statements, inner, Random.Next(1, 3), depth + 1, isUp);
                        _text.Append("  })\n");
                        break;
                    case 7:
                        _text.Append("  try {\n");
                        Statements(statements, db, Random.Next(1, 3), depth + 1, isUp);
                        _text.Append(Pick("  } catch (e) { console.error('x', e); throw e }\n", "  } finally { }\n"));
                        break;
                    default:
                        var calls = Enumerable.Range(0, Random.Next(1, 4)).Select(_ => Call(db, Literal(Add(statements)))).ToList();
                        _text.Append($"  await Promise.all([{string.Join(", ", calls)}])\n");
                        break;
                }
            }
        }

        private string Call(string db, string literal) => Pick(
            $"{db}.query({literal})", $"{db}.execute({literal})", $"{db}.execute(tag.raw({literal}))", $"{db}.query({{ text: {literal} }})",
            $"{db}.query({literal}, [])", $"{db}.execute(tag`${{tag.raw({literal})}}`)");

        /// <summary>A statement with all that a text can have that means something in one of the two languages.</summary>
        private string Add(List<string> statements)
        {
            var pieces = Enumerable.Range(0, Random.Next(1, 6)).Select(_ => Pick(
                "'it''s'", "$$ a ' ; \" $$", "$q$ ` ${ $$ $q$", "\"N a\"", "E'\\\\ \\n'", "/* ; ' */ 1", "'a\n    b'",
                "$$\n  x\n      y\n$$",
                "'é\u2028\U0001F600'", "a -> 'b'", "'\\'", "1.5", "'--'", "'`'", "'${x}'", "'\t'", "-- c\n 2", "(1,\n     2)"));
            var statement = $"SELECT {string.Join(", ", pieces)}, {statements.Count}";
            statements.Add(statement);
            return statement;
        }

        private string Literal(string text)
        {
            if (Coin)
            {
                text = Pick("\n      ", "", "\n") + text + Pick(";", "", ";\n  ", "\n    ");
            }

            switch (Random.Next(5))
            {
                case 0:
                    var quote = Pick("'", "\"");
                    return quote + string.Concat(text.Select(c => c switch
                    {
                        '\\' => "\\\\", '\n' => "\\n", '\t' => Pick("\\t", "\\x09", "\\u0009", "\\u{9}"), _ when c == quote[0] => $"\\{c}",
                        _ => c.ToString(),
                    })) + quote;
                case 1 when text.Length > 2:
                    var at = Random.Next(1, text.Length - 1);
                    at += char.IsLowSurrogate(text[at]) ? 1 : 0;
                    return $"{Template(text[..at])} + {Template(text[at..])}";
                case 2 when !text.Contains('`') && !text.Contains("${") && !text.EndsWith('\\'):
                    return $"String.raw`{text}`";
                default:
                    return Template(text);
            }
        }

        private static string Template(string text) => $"`{text.Replace("\\", "\\\\").Replace("`", "\\`").Replace("${", "\\${")}`";

        private void Constant(List<string> statements, string db)
        {
            var (name, literal) = (Name(), Literal(Add(statements)));
            _text.Append(Pick(
                $"  const {name} = {literal}\n  await {db}.query({name})\n",
                $"  const {name} = {{ a: [1, {literal}] }} as const;\n  await {db}.query({name}.a[1])\n",
                $"  const {name} = (t: string) => {db}.query(t)\n  await {name}({literal})\n",
                $"  const [, {{ b: {name} }}] = [0, {{ b: {literal} }}]\n  await {db}.query(`${{{name}}}`)\n"));
        }

        private void Parameters(List<string> statements, string db)
        {
            var value = Pick("o'b", "a\\b", "é", "$1", "");
            var quoted = $"{(value.Contains('\\') ? "E" : "")}'{value.Replace("'", "''").Replace("\\", "\\\\")}'";
            var number = Random.Next(-9, 9999);
            var literal = $"\"{value.Replace("\\", "\\\\")}\"";
            statements.Add($"INSERT INTO t VALUES ({quoted}, {number}, NULL, TRUE, '$9')");
            _text.Append(Coin
                ? $"  await {db}.execute(tag`INSERT INTO t VALUES (${{{literal}}}, ${{{number}}}, ${{null}}, ${{true}}, '$9')`)\n"
                : $"  await {db}.query(\"INSERT INTO t VALUES ($1, $2, $3, $4, '$9')\", [{literal}, {number}, null, true])\n");
        }

        private void Loop(List<string> statements, string db)
        {
            var (name, names) = (Name(), Enumerable.Range(0, Random.Next(0, 4)).Select(i => $"t{i}").ToList());
            var list = $"[{string.Join(", ", names.Select(one => $"'{one}'"))}]";
            statements.AddRange(names.Select(one => $"DROP TABLE {one}, x{one}"));
            _text.Append(Pick(
                $"  for (const {name} of {list}) {{ await {db}.query(`DROP TABLE ${{{name}}}, x${{{name}}}`) }}\n",
                $"  await Promise.all({list}.map(({name}) => {db}.query('DROP TABLE ' + {name} + ', x' + {name})))\n",
                $"  for (const {{ a: {name} }} of [{string.Join(", ", names.Select(one => $"{{ a: '{one}' }}"))}])\n"
                    + $"    await {db}.execute(tag.raw(`DROP TABLE ${{[{name}, `x${{{name}}}`].join(', ')}}`))\n"));
        }
    }
}
