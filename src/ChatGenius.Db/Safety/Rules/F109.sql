--: name: identifier-truncated
--: severity: warning
--: evidence: traced
--: title: A name is longer than PostgreSQL keeps
--: effect: Names are cut to 63 bytes with no more than a notice, so two long ones can become the same.
--: advice: Shorten it.
--: documentation: sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS

--# bad
CREATE TABLE a_name_that_goes_on_and_on_and_on_until_nobody_can_tell_where_it_ends (id bigint PRIMARY KEY);

--# good
CREATE TABLE a_name_that_ends (id bigint PRIMARY KEY);

--# look-alike: a long string is no name
COMMENT ON TABLE orders IS 'a text that goes on and on and on until nobody can tell where it ends or whether';

--# look-alike: 63 bytes are kept
CREATE TABLE a_name_of_just_sixty_three_bytes_which_is_what_postgresql_keeps (id bigint PRIMARY KEY);
