;;
; -- nothing
/* nothing; */ ;
CREATE TABLE e (n int);;
;INSERT INTO e VALUES (1);;;INSERT INTO e VALUES (2) ; ;
