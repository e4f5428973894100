--: name: primary-key-builds-index
--: severity: error
--: evidence: traced
--: title: A primary key builds its index while the table is locked out
--: effect: ADD PRIMARY KEY holds ACCESS EXCLUSIVE while it reads the whole table: once for the index, once more where a column was nullable.
--: advice: Make the columns NOT NULL the safe way, build a unique index CONCURRENTLY, then add the key USING INDEX.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT-USING-INDEX

--# given
CREATE TABLE logs (id bigint NOT NULL, line text);
INSERT INTO logs SELECT n, 'line' FROM generate_series(1, 100) n;

--# bad, F101
ALTER TABLE logs ADD PRIMARY KEY (id);

--# good
-- migrate:up transaction:false
CREATE UNIQUE INDEX CONCURRENTLY logs_pkey ON logs (id);
--# next
ALTER TABLE logs ADD CONSTRAINT logs_pkey PRIMARY KEY USING INDEX logs_pkey;

--# look-alike, traced: the table is new
CREATE TABLE coupons (id bigint);
ALTER TABLE coupons ADD PRIMARY KEY (id);

--# look-alike: the key is renamed
ALTER TABLE orders RENAME CONSTRAINT orders_pkey TO orders_key;

--# bad, traced, F101, C109: another one under the same name, in one statement
CREATE TABLE visits (id bigint NOT NULL, day date NOT NULL, CONSTRAINT visits_pkey PRIMARY KEY (id));
--# next
ALTER TABLE visits DROP CONSTRAINT visits_pkey, ADD CONSTRAINT visits_pkey PRIMARY KEY (day);

--# look-alike: it takes over an index that is there
CREATE TABLE visits (id bigint NOT NULL, day date NOT NULL, CONSTRAINT visits_pkey PRIMARY KEY (id));
--# next
-- migrate:up transaction:false
CREATE UNIQUE INDEX CONCURRENTLY visits_key ON visits (id, day);
--# next
ALTER TABLE visits DROP CONSTRAINT visits_pkey, ADD CONSTRAINT visits_pkey PRIMARY KEY USING INDEX visits_key;
