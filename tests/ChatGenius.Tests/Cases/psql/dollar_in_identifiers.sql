CREATE TABLE a$$b (c$1 int, d$$ text);
INSERT INTO a$$b VALUES (1, 'x');
INSERT INTO a$$b VALUES (2, 'y');
CREATE VIEW v AS SELECT c$1 AS x$y$z, d$$ FROM a$$b;
CREATE TABLE after$tag$ (n int);
INSERT INTO after$tag$ VALUES (3);
