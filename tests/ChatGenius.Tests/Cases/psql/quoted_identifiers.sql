CREATE TABLE "semi;colon" ("quote""d;" int, "dollar$$" text, "comment -- /*" text, "sélect 😀" int, U&"d\0061t\+000061;" int);
INSERT INTO "semi;colon" VALUES (1, 'a', 'b', 2, 3);
CREATE VIEW "v;
w" AS SELECT "quote""d;" AS "it's" FROM "semi;colon";
CREATE SCHEMA "end";
CREATE TABLE "end"."begin" ("case" int);
