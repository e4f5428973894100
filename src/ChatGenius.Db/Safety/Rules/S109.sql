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
