#!/usr/bin/env bash
# Compares chatgenius-db with psql, dbmate, node-pg-migrate and Drizzle's migrator: time and peak memory, in one run, interleaved.
#
#   tests/ChatGenius.Benchmarks/compare.sh EXECUTABLE [ROUNDS]
#
# EXECUTABLE is the native chatgenius-db (dotnet publish src/ChatGenius.Tool -r linux-x64 -p:PublishAot=true). ROUNDS (7) is how often each
# program runs in each case; MIGRATIONS (1000) and MEGABYTES (100) set the sizes. A server of its own is made under WORK, which wants to be on
# a RAM disk, and removed again. Needs Linux, gcc, node with npm, and PostgreSQL's server programs (POSTGRES_BIN). The table goes to stdout.
set -euo pipefail

tool=$(realpath "${1:?Usage: compare.sh EXECUTABLE [ROUNDS]}")
rounds=${2:-7}
migrations=${MIGRATIONS:-1000}
megabytes=${MEGABYTES:-100}
here=$(realpath "$(dirname "$0")")
bin=${POSTGRES_BIN:-$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)}
parent=${WORK:-$([ -d /dev/shm ] && echo /dev/shm || echo /tmp)}
peers=${PEERS:-}
work=$(mktemp -d "$parent/chatgenius-compare-XXXXXX")
chmod 755 "$work"

# PostgreSQL refuses to run as root.
as_server() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi; }
finish() {
    as_server "$bin/pg_ctl" -D "$work/server/data" -m immediate stop > /dev/null 2>&1 || true
    rm -rf "$work"
}
trap finish EXIT

say() { echo "$@" >&2; }

# The server: TCP without TLS, everything else as it comes.
mkdir "$work/server"
[ "$(id -u)" = 0 ] && chown postgres "$work/server"
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
(
    cd /
    as_server "$bin/initdb" -D "$work/server/data" -U postgres -A trust --locale=C -E UTF8 > /dev/null
    as_server "$bin/pg_ctl" -D "$work/server/data" -w -l "$work/server/log" \
        -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c ssl=off" start > /dev/null
)
url() { echo "postgres://postgres@127.0.0.1:$port/$1?sslmode=disable"; }
sql() { "$bin/psql" -X -q -v ON_ERROR_STOP=1 "$(url "${2:-postgres}")" -c "$1"; }

# The peers, as npm delivers them.
if [ -z "$peers" ]; then
    peers=$work/peers
    mkdir "$peers"
    (cd "$peers" && npm init -y > /dev/null && npm install --no-audit --no-fund dbmate node-pg-migrate drizzle-orm pg > npm.log 2>&1) || { cat "$peers/npm.log" >&2; exit 1; }
fi
dbmate=$(ls "$peers"/node_modules/@dbmate/*/bin/dbmate)
npm_version() { node -p "require('$peers/node_modules/$1/package.json').version"; }
cat > "$peers/drizzle.mjs" <<'JS'
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
const client = new pg.Client({ connectionString: process.argv[2] });
await client.connect();
await migrate(drizzle(client), { migrationsFolder: process.argv[3] });
await client.end();
JS
gcc -O2 -o "$work/measure" "$here/measure.c"

# The same migrations in everybody's format.
say "Writing $migrations migrations and $megabytes MB of data"
mkdir -p "$work"/{ours,node,drizzle/meta,data,bundle}
node - "$work" "$migrations" "$megabytes" <<'JS'
const fs = require('fs');
const [work, migrations, megabytes] = [process.argv[2], +process.argv[3], +process.argv[4]];
const id = i => String(i).padStart(4, '0');
const psql = [], journal = [];
for (let i = 1; i <= migrations; i++) {
  const up = `CREATE TABLE t_${i} (id bigint PRIMARY KEY, name text NOT NULL);\nCREATE INDEX t_${i}_name_idx ON t_${i} (name);\nINSERT INTO t_${i} VALUES (1, 'one');\n`;
  const down = `DROP TABLE t_${i};\n`;
  fs.writeFileSync(`${work}/ours/${id(i)}_add_t_${i}.sql`, `-- migrate:up\n${up}\n-- migrate:down\n${down}`);
  fs.writeFileSync(`${work}/node/${id(i)}_add_t_${i}.sql`, `-- Up Migration\n${up}\n-- Down Migration\n${down}`);
  fs.writeFileSync(`${work}/drizzle/${id(i)}_add_t_${i}.sql`, up);
  journal.push({ idx: i - 1, version: '7', when: 1700000000000 + i, tag: `${id(i)}_add_t_${i}`, breakpoints: true });
  psql.push(`BEGIN;\n${up}COMMIT;\n`);
}
fs.writeFileSync(`${work}/drizzle/meta/_journal.json`, JSON.stringify({ version: '7', dialect: 'postgresql', entries: journal }));
fs.writeFileSync(`${work}/all.sql`, psql.join(''));
const rows = ['COPY readings (id, name, value, at) FROM stdin;\n'];
for (let i = 0, size = 0; size < megabytes * 1e6; i++) {
  const row = `${i}\treading number ${i}\t${i % 1000}.25\t2026-01-01 12:00:00+00\n`;
  rows.push(row);
  size += row.length;
}
rows.push('\\.\n');
const data = 'CREATE TABLE readings (id bigint, name text, value numeric, at timestamptz);\n' + rows.join('');
fs.writeFileSync(`${work}/data/0001_load_readings.sql`, `-- migrate:up\n${data}\n-- migrate:down\nDROP TABLE readings;\n`);
fs.writeFileSync(`${work}/data.sql`, `BEGIN;\n${data}COMMIT;\n`);
JS
cp "$here"/../../src/Migrations/*.sql "$work/bundle/"
for file in "$work"/bundle/*.sql; do
    echo 'BEGIN;'; sed '/^-- migrate:down/,$d' "$file"; echo 'COMMIT;'
done > "$work/bundle.sql"

# What each program is called with; $2 is the database, $3 the migrations.
ours() { echo "$tool|apply|--database|$(url "$1")|--no-bundle|--migrations|$2|--quiet"; }
ours_bundled() { echo "$tool|apply|--database|$(url "$1")|--quiet"; }
psql() { echo "$bin/psql|-X|-q|-v|ON_ERROR_STOP=1|-f|$2|$(url "$1")"; }
dbmate() { echo "$dbmate|--url|$(url "$1")|--migrations-dir|$2|--no-dump-schema|up"; }
node_pg_migrate() { echo "node|$peers/node_modules/node-pg-migrate/bin/node-pg-migrate.js|--database-url-var|URL|--migrations-dir|$2|up"; }
drizzle() { echo "node|$peers/drizzle.mjs|$(url "$1")|$2"; }

# measure CASE PROGRAM COMMAND: adds a line "ms MiB" to the results.
measure() {
    local words
    IFS='|' read -ra words <<< "$3"
    # Nothing waits for what the last one has left to do.
    sync
    (cd "$work" && "$work/measure" "${words[@]}" >> "$work/result.$1.$2" 2> "$work/error") || { say "$1 $2 failed: ${words[*]}"; tail -5 "$work/error" >&2; exit 1; }
}
fresh() { sql "DROP DATABASE IF EXISTS $1 WITH (FORCE)"; sql "CREATE DATABASE $1 TEMPLATE template0"; }
median() { sort -n | awk '{ a[NR] = $1 } END { print NR % 2 ? a[(NR + 1) / 2] : (a[NR / 2] + a[NR / 2 + 1]) / 2 }'; }

declare -A input=([ours]=$work/ours [dbmate]=$work/ours [node_pg_migrate]=$work/node [drizzle]=$work/drizzle [psql]=$work/all.sql)

say "Preparing databases in which everything is applied"
for program in ours dbmate node_pg_migrate drizzle; do
    fresh "applied_$program"
    export URL=$(url "applied_$program")
    measure warm "$program" "$($program "applied_$program" "${input[$program]}")"
done

for ((round = 1; round <= rounds; round++)); do
    say "Round $round of $rounds"
    measure a ours "$tool|--version"
    measure a psql "$bin/psql|--version"
    measure a dbmate "$dbmate|--version"
    measure a node_pg_migrate "node|$peers/node_modules/node-pg-migrate/bin/node-pg-migrate.js|--version"
    for program in ours dbmate node_pg_migrate drizzle; do
        export URL=$(url "applied_$program")
        measure b "$program" "$($program "applied_$program" "${input[$program]}")"
    done
    for program in ours psql dbmate node_pg_migrate drizzle; do
        fresh compare
        export URL=$(url compare)
        measure c "$program" "$($program compare "${input[$program]}")"
    done
    fresh compare; measure d ours "$(ours_bundled compare)"
    fresh compare; measure d psql "$(psql compare "$work/bundle.sql")"
    fresh compare; measure d dbmate "$(dbmate compare "$work/bundle")"
    fresh compare; measure e ours "$(ours compare "$work/data")"
    fresh compare; measure e psql "$(psql compare "$work/data.sql")"
done

# The table.
cell() {
    local file=$work/result.$1.$2
    [ -f "$file" ] || { echo "–"; return; }
    awk -v ms="$(cut -d' ' -f1 "$file" | median)" -v mb="$(cut -d' ' -f2 "$file" | median)" -v ours="$(cut -d' ' -f1 "$work/result.$1.ours" | median)" -v me="$2" \
        'BEGIN { printf "%.*f ms, %.0f MiB%s\n", ms < 100 ? 1 : 0, ms, mb, me == "ours" ? "" : sprintf(" (%.2f)", ours / ms) }'
}
row() { echo "| $2 | $(cell "$1" ours) | $(cell "$1" psql) | $(cell "$1" dbmate) | $(cell "$1" node_pg_migrate) | $(cell "$1" drizzle) |"; }

echo "| | chatgenius-db $("$tool" --version | awk '{ print $2 }') | psql $("$bin/psql" --version | awk '{ print $3 }') | dbmate $(npm_version dbmate) | node-pg-migrate $(npm_version node-pg-migrate) | Drizzle $(npm_version drizzle-orm) |"
echo "|---|---|---|---|---|---|"
row a '`--version`'
row b "nothing to do, $migrations applied"
row c "$migrations small migrations"
row d 'the 5 bundled migrations'
row e "$megabytes MB of COPY data"
echo
echo "Wall time and peak memory of the process, medians of $rounds interleaved runs; in brackets chatgenius-db's time by the peer's."
echo "$(date -u +%Y-%m-%d), $(nproc) x $(lscpu | sed -n 's/^Model name: *//p'), $(. /etc/os-release; echo "$PRETTY_NAME"), PostgreSQL $("$bin/postgres" --version | awk '{ print $3 }') with its files in $(stat -f -c %T "$work"), TCP without TLS, node $(node --version); load average at the end $(cut -d' ' -f1 /proc/loadavg)."
