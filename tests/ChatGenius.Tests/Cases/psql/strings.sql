CREATE TABLE s (n int, v text);
INSERT INTO s VALUES (1, 'a;b'), (2, 'it''s; here'), (3, 'back\slash\');
INSERT INTO s VALUES (4, E'tab\t; quote \' and \\'), (5, e'\x41;\u00e4\U0001F600');
INSERT INTO s VALUES (6, U&'d\0061t\+000061;'), (7, u&'!0041;' UESCAPE '!'), (8, N'national;');
INSERT INTO s VALUES (9, B'0101'::text || X'1F'::text), (10, '-- no comment; /* nor this'), (11, '');
INSERT INTO s VALUES (12, 'a
line; break');
