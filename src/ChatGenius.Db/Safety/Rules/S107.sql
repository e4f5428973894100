--# bad
CREATE TABLE logs (id int PRIMARY KEY);

--# good
CREATE TABLE logs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);

--# look-alike: a key of two columns
CREATE TABLE pairs (a int, b int, PRIMARY KEY (a, b));

--# look-alike: it takes the type of what it refers to
CREATE TABLE kinds (code text PRIMARY KEY, number int UNIQUE);
CREATE TABLE kind_notes (kind int PRIMARY KEY REFERENCES kinds (number));
