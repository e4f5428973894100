/* a /* nested; /* twice; */ */ comment; ' " $$ */
CREATE TABLE c (n int /* ; */, v text -- ; '
); -- after the end; select
/**/ INSERT INTO c VALUES (1, 'a'); /***/ INSERT INTO c VALUES (2, 'b'); /*/**/*/
INSERT INTO c VALUES (3 /* ' */, 'c /* no comment */') /*; */ -- ;
;
--
INSERT INTO c VALUES (4, 'd')-- the end of the file has no semicolon
