-- How far each audit log had come when it was last compared, as `RECORDS:HASH`, by the name of the log and the place where it was last seen.
-- Services that share a database have one each. The head from before logs had names is that of whichever log has it.
CREATE TABLE audit_heads (log TEXT NOT NULL PRIMARY KEY, place TEXT NOT NULL, head TEXT NOT NULL);
INSERT INTO audit_heads (log, place, head) SELECT '', '', head FROM audit_head LIMIT 1;
DROP TABLE audit_head;
