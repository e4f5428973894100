--: name: exclusion-builds-index
--: severity: error
--: evidence: traced
--: title: An exclusion constraint builds its index while the table is locked out
--: effect: ADD CONSTRAINT … EXCLUDE holds ACCESS EXCLUSIVE while it builds the index, and GiST indexes are slow to build: some forty times slower than B-tree ones.
--: advice: There is no form that lets others work. Make a new table with the constraint, fill it and swap the two, or add it in a maintenance window.
--: documentation: sql-createtable.html#SQL-CREATETABLE-EXCLUDE

--# given
CREATE TABLE bookings (id bigint PRIMARY KEY, during tstzrange);
INSERT INTO bookings SELECT n, tstzrange(now() + n * interval '1 hour', now() + (n + 1) * interval '1 hour') FROM generate_series(1, 50) n;

--# bad, F103
ALTER TABLE bookings ADD CONSTRAINT bookings_during_excl EXCLUDE USING gist (during WITH &&);

--# good: a new table, filled and swapped
CREATE TABLE bookings_new (LIKE bookings INCLUDING ALL);
ALTER TABLE bookings_new ADD CONSTRAINT bookings_during_excl EXCLUDE USING gist (during WITH &&);

--# look-alike: the table is new
CREATE TABLE visits (id bigint PRIMARY KEY, during tstzrange, EXCLUDE USING gist (during WITH &&));

--# look-alike: a CHECK has no index
ALTER TABLE bookings ADD CONSTRAINT bookings_during_check CHECK (NOT isempty(during)) NOT VALID;
