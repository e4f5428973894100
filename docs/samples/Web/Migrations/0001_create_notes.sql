-- migrate:up
CREATE TABLE notes (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text NOT NULL);

-- migrate:down
DROP TABLE notes;
