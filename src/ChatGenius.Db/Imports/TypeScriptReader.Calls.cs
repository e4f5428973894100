using System.Text;
using System.Text.RegularExpressions;
using static ChatGenius.Db.Imports.TypeScriptNode;
using static ChatGenius.Db.Imports.TypeScriptValue;

namespace ChatGenius.Db.Imports;

internal sealed partial class TypeScriptReader
{
    /// <summary>The calls of Drizzle, postgres.js, Kysely, slonik, Knex, TypeORM, Sequelize, MikroORM, node-pg-migrate, db-migrate and pg
    /// that send SQL as it is written.</summary>
    private static readonly HashSet<string> Sending =
    [
        "execute", "query", "raw", "runSql", "addSql", "sql", "unsafe", "exec", "any", "many", "one", "maybeOne", "none", "manyOrNone",
        "oneOrNone", "anyFirst", "manyFirst", "oneFirst", "maybeOneFirst", "exists", "multi", "$executeRawUnsafe", "$queryRawUnsafe",
    ];

    private static readonly HashSet<string> QueryOptions = ["transaction", "type", "raw", "logging", "plain", "nest", "benchmark"];

    private static readonly string[] Clients =
    [
        "pg", "postgres", "knex", "kysely", "slonik", "sequelize", "typeorm", "drizzle-orm", "@neondatabase/", "@vercel/postgres",
    ];

    private object? EvalCall(Call call, TypeScriptScope scope)
    {
        if (!call.IsNew && call.Callee is Member { Name: { } method } member)
        {
            var target = Eval(member.Of, scope);
            return Method(call, target, method, scope);
        }

        if (call.Callee is Identifier { Text: "require" } && !scope.TryGet("require", out _))
        {
            return call.Arguments is [Literal { Value: string module }] ? ImportOf(module, "*", call)
                : throw Because(call, scope, "what is loaded here is not known");
        }

        var callee = Eval(call.Callee, scope);
        switch (callee)
        {
            case Closure closure:
                return Invoke(closure, Arguments(call, scope), call);
            case Handle { From: Origin.Second } when !call.IsNew:
                return Arguments(call, scope).All(one => one is null or Nothing or Result or string or bool) ? Undefined
                    : throw new TypeScriptRefusal(call.Start, call.End, "it calls back with an error here");
            case Handle { From: Origin.Library } library when Clients.Any(library.IsOf) && library.Last != "sql":
                // How it connects is not the migration's matter.
                return new Handle(Origin.Database, library.Module, "", IsWhole: true);
            case Handle { From: Origin.Database, IsWhole: true } connection when Arguments(call, scope) is [string name]:
                return new Fragment([new Verbatim(Quoted(name.Split('.'), call))], false, connection, call);
            default:
                throw Because(callee, call, "what this call does is not known");
        }
    }

    private List<object?> Arguments(Call call, TypeScriptScope scope) => [.. call.Arguments.SelectMany(one => Spread(one, scope))];

    private object? Method(Call call, object? target, string method, TypeScriptScope scope)
    {
        switch (target)
        {
            case Handle { From: Origin.Global, Path: "console" }:
                return call.Arguments.SelectMany(one => one.All()).FirstOrDefault(MayRun) is { } running
                    ? throw new TypeScriptRefusal(running.Start, running.End, "something may run here as it is printed") : Undefined;
            case Handle { From: Origin.Global, Path: "Promise" }:
                return PromiseOf(call, method, scope);
            case Query or Promised or Result or Fragment { Runs: true } when method is "then" or "catch" or "finally":
                return Then(call, target, method, scope);
            case Query query when method == "raw":
                var next = Send(new Handle(Origin.Database, "", "raw"), call, scope) as Query;
                Record(query);
                return next;
            case Fragment fragment when method is "execute" && fragment.Maker?.IsOf("drizzle-orm") != true && call.Arguments.Count > 0:
                return Written(fragment, [], call) with { IsSentAtOnce = fragment.Maker?.IsOf("kysely") == true };
            case Fragment { Runs: true } when method is "simple" or "execute" && call.Arguments.Count == 0:
                return target;
            case string text when method == "trim" && call.Arguments.Count == 0:
                return text.Trim();
            case IReadOnlyList<object?> list:
                return ListMethod(call, list, method, scope);
            case Instance instance when instance.Class.Members.ContainsKey(method):
                return MemberOf(instance, method, call) is Closure own ? Invoke(own, Arguments(call, scope), call)
                    : throw Because(null, call, "what this call does is not known");
            case Instance:
                return Send(new Handle(Origin.Database, "", method), call, scope);
            case IReadOnlyDictionary<string, object?> map when map.GetValueOrDefault(method) is Closure entry:
                return Invoke(entry, Arguments(call, scope), call);
            case Handle { From: Origin.Database } handle:
                return Send(handle.Get(method), call, scope);
            case Handle { From: Origin.Library } library when library.Last is "sql" or "" or "default" && method != "unsafe"
                && Helper(library.Get(method), Arguments(call, scope), call) is { } made:
                return made;
            case Handle { From: Origin.Library } library when Clients.Any(library.IsOf) && library.Last != "sql":
                return new Handle(Origin.Database, library.Module, "", IsWhole: true);
            default:
                throw Because(target, call, $"what {method} does here is not known");
        }
    }

    /// <summary>Whether something could be sent, changed or waited for by it.</summary>
    private static bool MayRun(TypeScriptNode node) => node is Operation { Sign: "await" or "=" or "++" or "--" or "delete" }
        or Template { Tag: not null } or Call { Callee: Identifier } or Call { IsNew: true }
        || (node is Call { Callee: Member { Name: var name } } && (name is null || Sending.Contains(name)));

    /// <summary>A call on the connection.</summary>
    private object? Send(Handle handle, Call call, TypeScriptScope scope)
    {
        var method = handle.Last;
        var last = call.Arguments is [.., Function function] ? function : null;
        if (method is "transaction" or "begin" or "tx" or "task" or "inTransaction" or "transactional"
            || (method == "execute" && call.Arguments is [Function]))
        {
            return call.Arguments.Count switch
            {
                0 => new Handle(Origin.Database, "", "", IsWhole: true),
                1 when last is not null => new Promised(Settle(
                    Invoke(new Closure(last, scope, This(scope)), [new Handle(Origin.Database, "", "", IsWhole: true)], call), call)),
                _ => throw new TypeScriptRefusal(call.Start, call.End, "a transaction with settings of its own is not read"),
            };
        }

        if (method is "connect" or "createQueryRunner" or "getConnection" or "startTransaction" || EndsConnection(method))
        {
            return new Handle(Origin.Database, "", "", IsWhole: true);
        }

        if (method is "commit" or "commitTransaction" && call.Arguments.Count == 0)
        {
            _committed = true;
            return Undefined;
        }

        if (method is "noTransaction" && call.Arguments.Count == 0)
        {
            _noTransaction = true;
            return Undefined;
        }

        if (!Sending.Contains(method))
        {
            return handle.Path.StartsWith("sql.", StringComparison.Ordinal) || handle.Path.Contains(".sql.", StringComparison.Ordinal)
                ? Helper(handle, Arguments(call, scope), call) ?? throw Builder(call, method) : throw Builder(call, method);
        }

        // pg, TypeORM, Sequelize and slonik send what query gets as it is called.
        var sent = SendText(method, call, scope);
        return sent is Query query && method == "query" && !handle.IsOf("@neondatabase/") ? query with { IsSentAtOnce = true } : sent;
    }

    private static TypeScriptRefusal Builder(Call call, string method)
    {
        var name = call.Callee is Member { Of: var of } ? of.End : call.Start;
        return new TypeScriptRefusal(Math.Max(call.Start, name), call.Callee.End, $"what SQL {method} makes is known to its library alone",
            "Write the SQL that it runs.");
    }

    private object? SendText(string method, Call call, TypeScriptScope scope)
    {
        if (call.Arguments.Count == 0)
        {
            throw new TypeScriptRefusal(call.Start, call.End, "there is no SQL in this call");
        }

        var sql = Eval(call.Arguments[0], scope);
        IReadOnlyList<object?> values = [];
        if (sql is IReadOnlyDictionary<string, object?> map && map.ContainsKey("text")
            && map.Keys.All(key => key is "text" or "values"))
        {
            (sql, values) = (map["text"], ValuesOf(map.GetValueOrDefault("values", Undefined), call));
        }

        object? callback = null;
        foreach (var argument in call.Arguments.Skip(1))
        {
            if (argument is Map options)
            {
                var unknown = options.Entries.FirstOrDefault(entry => entry.Key is null || !QueryOptions.Contains(entry.Key)
                    || entry.Value.All().Any(MayRun));
                _ = unknown.Value is null ? true : throw new TypeScriptRefusal(unknown.Value.Start, unknown.Value.End,
                    $"what {unknown.Key ?? "this"} changes in the call is not read");
                continue;
            }

            var value = Eval(argument, scope);
            if (value is Closure or Handle { From: Origin.Second })
            {
                callback = value;
            }
            else if (value is not Handle)
            {
                values = ValuesOf(value, argument);
            }
        }

        var query = sql switch
        {
            string text => new Query(text, values, call),
            Fragment fragment => Written(fragment, values, call),
            _ => throw Because(sql, call.Arguments[0], "this is no text and no SQL"),
        };
        if (values.Count > 0 && method == "raw")
        {
            query = WithKnexValues(query.Text, values, call);
        }
        else if (values.Count > 0 && method is not ("query" or "unsafe" or "runSql" or "any" or "none" or "one" or "many"))
        {
            throw new TypeScriptRefusal(call.Start, call.End, "how its values are put in is not read");
        }

        query = method == "raw" && values.Count == 0 ? query with { Text = WithoutKnexMarks(query.Text, call) } : query;
        var queues = method is "addSql" or "sql";
        if (_queued is { } before && before != queues)
        {
            throw new TypeScriptRefusal(
                call.Start, call.End, "some of this runs now and some of it at the end, so the order is not known");
        }

        _queued = queues;
        if (!queues && method != "runSql" && callback is null)
        {
            return query;
        }

        Record(query);
        return callback is Closure closure ? Settle(Invoke(closure, [NoError, new Result(call.Start, call.End)], call), call) : Undefined;
    }

    private static IReadOnlyList<object?> ValuesOf(object? value, TypeScriptNode at) => value switch
    {
        null or Nothing => [],
        IReadOnlyList<object?> list => list.All(one => one is null or string or decimal or bool) ? list
            : throw Because(list.First(one => one is not (null or string or decimal or bool)), at, "a value in it is not known"),
        _ => throw Because(value, at, "what this changes in the call is not read"),
    };

    /// <summary>Knex takes each question mark for a value, wherever it stands, and <c>\?</c> for a question mark.</summary>
    private static string WithoutKnexMarks(string text, TypeScriptNode at)
    {
        var plain = text.Replace("\\?", "", StringComparison.Ordinal);
        return plain.Contains('?', StringComparison.Ordinal)
            ? throw new TypeScriptRefusal(
                at.Start, at.End, "Knex takes the question mark in it for a value", @"Write \\? for a question mark.")
            : text.Replace("\\?", "?", StringComparison.Ordinal);
    }

    /// <summary>Knex puts the values in the places of the question marks, one after the other: in that of <c>??</c> a name.</summary>
    private static Query WithKnexValues(string text, IReadOnlyList<object?> values, TypeScriptNode at)
    {
        var (next, own) = (0, new List<object?>());
        var sql = KnexMarks().Replace(text, mark =>
        {
            if (mark.Value == "\\?")
            {
                return "?";
            }

            var value = next < values.Count ? values[next] : null;
            next++;
            if (mark.Value == "??")
            {
                return value is string name && name.AsSpan().IndexOfAny(' ', '*') < 0
                    ? Quoted(name.Split('.'), at) : throw new TypeScriptRefusal(at.Start, at.End, "what name Knex makes of it is not read");
            }

            own.Add(value);
            return $"${own.Count}";
        });
        return next == values.Count && !OtherMarks().IsMatch(text) ? new Query(sql, own, at)
            : throw new TypeScriptRefusal(at.Start, at.End, "how its values are put in is not read");
    }

    [GeneratedRegex(@"\\\?|\?\??")]
    private static partial Regex KnexMarks();

    [GeneratedRegex(@"\$[0-9]")]
    private static partial Regex OtherMarks();

    private static Query Written(Fragment fragment, IReadOnlyList<object?> values, TypeScriptNode at)
    {
        var text = new StringBuilder();
        var own = new List<object?>(values);
        foreach (var piece in fragment.Pieces)
        {
            if (piece is Verbatim { Text: var verbatim })
            {
                text.Append(verbatim);
            }
            else
            {
                own.Add(piece);
                text.Append('$').Append(own.Count);
            }
        }

        return values.Count == 0 || own.Count == values.Count ? new Query(text.ToString(), own, at)
            : throw new TypeScriptRefusal(at.Start, at.End, "values of two kinds are not read");
    }

    private void Record(Query query)
    {
        var (at, problem) = (query.At, "");
        if (_notAwaited is { } before)
        {
            throw new TypeScriptRefusal(
                before.Start, before.End, "nothing waits for this call, so whether it has run before what comes after it is not known");
        }

        problem = _loading ? "this runs as the file is loaded" : _committed ? "this runs after its transaction has ended" : "";
        if (problem.Length > 0)
        {
            throw new TypeScriptRefusal(at.Start, at.End, problem) { Always = true };
        }

        var text = at.All().FirstOrDefault(node => node is Template or Literal { Value: string }) ?? at;
        var sql = TypeScriptSql.Of(query.Text, query.Values, IndentAt(text is Template { Tag: { } tag } ? tag.Start : text.Start), at);
        _calls.Add(sql);
    }

    private object? ListMethod(Call call, IReadOnlyList<object?> list, string method, TypeScriptScope scope)
    {
        if (method == "join" && call.Arguments.Count <= 1)
        {
            var between = call.Arguments.Count == 0 ? "," : TextOf(Eval(call.Arguments[0], scope), call);
            return Short(string.Join(between, list.Select(item => item is null or Nothing ? "" : TextOf(item, call))), call);
        }

        if (method is not ("map" or "forEach") || call.Arguments is not [var argument] || Eval(argument, scope) is not Closure closure)
        {
            throw Because(call, scope, $"{method} is not read");
        }

        var made = new List<object?>();
        for (var i = 0; i < list.Count; i++)
        {
            var before = _calls.Count;
            made.Add(Invoke(closure, [list[i], (decimal)i, list], call));
            if (closure.Function.IsAsync && (method == "forEach" || _calls.Count - before > 1))
            {
                throw new TypeScriptRefusal(call.Start, call.End, "several calls run at the same time here, so their order is not known");
            }
        }

        if (method == "map")
        {
            return made;
        }

        RefusePending(made, call);
        return Undefined;
    }
}
