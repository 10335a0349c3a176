-- How far the audit log had come when it was last compared, as `RECORDS:HASH`.
CREATE TABLE audit_head (head TEXT NOT NULL);
