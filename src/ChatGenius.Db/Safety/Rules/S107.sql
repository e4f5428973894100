--: name: narrow-key
--: severity: info
--: evidence: catalog
--: title: A primary key is smaller than bigint
--: effect: Two thousand million rows, deleted ones included, and the table takes no more; to change the type then rewrites it.
--: advice: bigint, or uuid.
--: documentation: datatype-numeric.html#DATATYPE-INT

--# bad
CREATE TABLE logs (id int PRIMARY KEY);

--# good
CREATE TABLE logs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);

--# look-alike: a key of two columns
CREATE TABLE pairs (a int, b int, PRIMARY KEY (a, b));

--# look-alike: it takes the type of what it refers to
CREATE TABLE kinds (code text PRIMARY KEY, number int UNIQUE);
CREATE TABLE kind_notes (kind int PRIMARY KEY REFERENCES kinds (number));
