CREATE TABLE t (n int, v text);
COPY t FROM PROGRAM 'printf ''1,a;b\n2,c\n''' (FORMAT csv);
COPY (SELECT n FROM t WHERE v <> 'stdin') TO PROGRAM 'cat >/dev/null';
COPY t (n) TO PROGRAM 'cat >/dev/null';
INSERT INTO t VALUES (3, 'end');
