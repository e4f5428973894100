CREATE SCHEMA "odd;schema";
CREATE TABLE "odd;schema"."from" ("to" int, "stdin;" text);
COPY "odd;schema"."from" ("to", "stdin;") FROM STDIN (FORMAT csv, HEADER true, QUOTE '"', FORCE_NULL ("stdin;"));
to,stdin;
1,"quoted, with ; and ""quotes"""
2,"two
lines"
3,""
4,'single
\.
COPY "odd;schema"."from" FROM stdin WITH CSV DELIMITER AS '|';
5|\n stays
\.
COPY "odd;schema"."from" FROM stdin WITH (FORMAT csv, FREEZE false) WHERE "to" > 6;
6,no
7,yes
\.
