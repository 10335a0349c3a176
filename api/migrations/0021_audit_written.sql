-- Bytes that each subject has written to the audit log, by day and for the hour that goes on.
CREATE TABLE audit_written (
    subject TEXT NOT NULL,
    span_ms BIGINT NOT NULL,
    since_ms BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (subject, span_ms, since_ms)
);
