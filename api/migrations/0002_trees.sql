-- Only what has not ended is looked for by its status.
DROP INDEX executions_by_status;
CREATE INDEX executions_unfinished ON executions (status) WHERE ended_ms IS NULL;

-- Names of executions begin with their time, so they are in order of age already.
DROP INDEX executions_by_age;

CREATE TABLE task_trees (
    id TEXT NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL,
    status TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    -- The tasks as they were asked for, without their environment variables, and how each is doing; JSON.
    plan TEXT NOT NULL,
    nodes TEXT NOT NULL,
    -- Nothing older takes the place of this.
    revision BIGINT NOT NULL
);
CREATE INDEX task_trees_of_subject ON task_trees (subject, created_ms, id);
CREATE INDEX task_trees_by_age ON task_trees (created_ms);
