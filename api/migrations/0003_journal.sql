-- How far the journal beside a SQLite database has been carried over into it; other databases have none.
CREATE TABLE journal (applied BIGINT NOT NULL);
INSERT INTO journal (applied) VALUES (0);
