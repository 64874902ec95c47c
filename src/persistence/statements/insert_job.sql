-- A sealed job: all its units come in the same transaction. Binds: id, queue, type, name, priority, run_at, concurrency,
-- max_attempts, rerun_of, submitted_by, now.
INSERT INTO job (id, queue, type, name, priority, run_at, concurrency, max_attempts, rerun_of, submitted_by, sealed_at, created_at)
VALUES (@id, @queue, @type, @name, @priority, @run_at, @concurrency, @max_attempts, @rerun_of, @submitted_by, @now, @now);
