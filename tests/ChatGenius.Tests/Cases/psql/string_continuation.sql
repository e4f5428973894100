CREATE TABLE s (n int, v text);
INSERT INTO s VALUES (1, 'one;'
    ' two;'

    ' three');
INSERT INTO s VALUES (2, 'one;' -- a comment; with 'quotes
    -- and another;
    ' two;');
INSERT INTO s VALUES (3, E'one\';'
    ' two;');
INSERT INTO s SELECT 4, x.* FROM (SELECT 'a;' "b;") AS x;
