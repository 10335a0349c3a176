-- Statements that SQLite and PostgreSQL both understand. Times are milliseconds since 1970.

CREATE TABLE executions (
    id TEXT NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL,
    session TEXT,
    language TEXT NOT NULL,
    profile TEXT,
    status TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    started_ms BIGINT,
    ended_ms BIGINT,
    result TEXT
);
CREATE INDEX executions_of_subject ON executions (subject, created_ms, id);
CREATE INDEX executions_by_age ON executions (created_ms);
CREATE INDEX executions_by_status ON executions (status);

CREATE TABLE artifacts (
    execution TEXT NOT NULL,
    -- Paths may be longer than an index takes.
    path_sha256 TEXT NOT NULL,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (execution, path_sha256)
);
CREATE INDEX artifacts_by_content ON artifacts (sha256);

CREATE TABLE idempotency (
    subject TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_sha256 TEXT NOT NULL,
    execution TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (subject, idempotency_key)
);

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL,
    language TEXT NOT NULL,
    profile TEXT,
    created_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    end_reason TEXT
);
CREATE INDEX sessions_of_subject ON sessions (subject, created_ms, id);

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL,
    secret_sha256 TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    expires_ms BIGINT,
    revoked_ms BIGINT
);

CREATE TABLE usage_by_day (
    subject TEXT NOT NULL,
    day_ms BIGINT NOT NULL,
    executions BIGINT NOT NULL,
    denied BIGINT NOT NULL,
    limited BIGINT NOT NULL,
    wall_us BIGINT NOT NULL,
    cpu_us BIGINT NOT NULL,
    fuel BIGINT NOT NULL,
    output_bytes BIGINT NOT NULL,
    PRIMARY KEY (subject, day_ms)
);
