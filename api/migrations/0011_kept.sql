-- What each record takes with its artifacts, for the quotas.
ALTER TABLE executions ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE task_trees ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
UPDATE executions SET bytes = 512 + COALESCE(LENGTH(result), 0)
    + COALESCE((SELECT SUM(artifacts.bytes + 300) FROM artifacts WHERE artifacts.execution = executions.id), 0);
UPDATE task_trees SET bytes = 512 + LENGTH(plan) + LENGTH(nodes);
CREATE INDEX executions_kept ON executions (subject, bytes);
CREATE INDEX idempotency_of_execution ON idempotency (execution);
