--: name: legacy-type
--: severity: info
--: evidence: catalog
--: title: A type that PostgreSQL has better ones for
--: effect: char(n) pads with blanks, timestamp without time zone names no moment, money depends on a setting, serial leaves its sequence's rights behind.
--: advice: text, timestamptz, numeric, GENERATED … AS IDENTITY.
--: documentation: datatype.html

--# bad
CREATE TABLE logs (id bigserial PRIMARY KEY, at timestamp, code char(3));

--# good
CREATE TABLE logs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz, code text);

--# look-alike: varchar pads nothing
CREATE TABLE codes (id bigint PRIMARY KEY, code varchar(3));

--# look-alike: a date has no time zone
CREATE TABLE days (id bigint PRIMARY KEY, day date);

--# look-alike: a sequence of one's own
CREATE SEQUENCE ticket_numbers;
CREATE TABLE tickets (id bigint PRIMARY KEY, number bigint NOT NULL DEFAULT nextval('ticket_numbers'));
