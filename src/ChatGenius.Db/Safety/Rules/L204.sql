--: name: primary-key-not-null-scan
--: severity: error
--: evidence: traced
--: title: A primary key over a nullable column reads the whole table while it is locked out
--: effect: PRIMARY KEY USING INDEX is quick, but a nullable column has to become NOT NULL first: every row is read under ACCESS EXCLUSIVE.
--: advice: Make the column NOT NULL the safe way before.
--: documentation: sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT-USING-INDEX

--# given
CREATE TABLE logs (id bigint, line text);
INSERT INTO logs SELECT n, 'line' FROM generate_series(1, 100) n;
CREATE UNIQUE INDEX logs_pkey ON logs (id);

--# bad, F102
ALTER TABLE logs ADD CONSTRAINT logs_pkey PRIMARY KEY USING INDEX logs_pkey;

--# good, traced
ALTER TABLE logs ADD CONSTRAINT logs_id_not_null CHECK (id IS NOT NULL) NOT VALID;
--# next
ALTER TABLE logs VALIDATE CONSTRAINT logs_id_not_null;
--# next
ALTER TABLE logs ADD CONSTRAINT logs_pkey PRIMARY KEY USING INDEX logs_pkey;

--# look-alike: a unique constraint needs no NOT NULL
ALTER TABLE logs ADD CONSTRAINT logs_id_key UNIQUE USING INDEX logs_pkey;

--# look-alike: the table is new
CREATE TABLE coupons (id bigint);
CREATE UNIQUE INDEX coupons_pkey ON coupons (id);
ALTER TABLE coupons ADD CONSTRAINT coupons_pkey PRIMARY KEY USING INDEX coupons_pkey;
