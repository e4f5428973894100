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
