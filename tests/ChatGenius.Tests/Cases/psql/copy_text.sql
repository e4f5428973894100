CREATE TABLE t (n int, v text, w text);
COPY t FROM stdin;
1	one; -- 'quote	/* no comment
2	\N	$$
3	tab\there\\	back\\.
4	line\nbreak	\x41\101
\.
INSERT INTO t VALUES (5, 'after', ';');
COPY public.t (n, "v") FROM STDIN WITH (DELIMITER ';', NULL 'nil');
6;six
7;nil
\.
copy t (n) from stdin; -- a comment; after it
8
\.

COPY t FROM stdin;
\.
INSERT INTO t VALUES (9, 'last', '')
