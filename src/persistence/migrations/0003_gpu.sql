-- min_app_version: 0.1.0
-- Where jobs, units and attempts stand with GPU workers.
ALTER TABLE job ADD COLUMN gpu TEXT NOT NULL DEFAULT 'never'
  CHECK (gpu = 'never' OR gpu = 'prefer' OR gpu = 'require');
-- Wall ms since which its units have waited for a worker in vain; a claim by one ends the wait.
ALTER TABLE job ADD COLUMN gpu_waits_since INTEGER;
-- 1: waits for, or runs on, a GPU worker. Placement is per unit: one falls back, the others need not.
ALTER TABLE unit ADD COLUMN for_gpu INTEGER NOT NULL DEFAULT 0 CHECK (for_gpu IN (0, 1));
-- Name and version of what the checkpoint holds; null: its handler declared none.
ALTER TABLE unit_payload ADD COLUMN checkpoint_format TEXT;

DROP INDEX unit_available;
CREATE INDEX unit_available ON unit (job_seq, for_gpu, limit_key, available_at, position) WHERE state = 'available';
CREATE INDEX job_for_gpu ON job (seq) WHERE gpu <> 'never' AND finished_at IS NULL;

-- What became of a unit's attempts at GPU workers, for the attempts after them.
CREATE TABLE unit_gpu (
  unit_seq        INTEGER PRIMARY KEY REFERENCES unit (seq) ON DELETE CASCADE,
  restarts        INTEGER NOT NULL DEFAULT 0,                    -- attempts that ended with their worker
  fallback_reason TEXT                                           -- JSON: the error; null: it did not fall back
) STRICT;

-- Final is final, as in job_updated.
CREATE TRIGGER job_gpu_updated AFTER UPDATE OF gpu, gpu_waits_since ON job WHEN OLD.finished_at IS NOT NULL BEGIN
  SELECT RAISE(ABORT, 'job is final');
END;

DROP VIEW job_snapshot;
CREATE VIEW job_snapshot AS
SELECT job.seq, job.id, job.queue, job.type, job.name, job.state, job.priority, job.run_at, job.concurrency,
       job.max_attempts, job.rerun_of, job.submitted_by, job.paused_at, job.frozen_at, job.held_at,
       job.hold_kind, job.decision, job.sealed_at, job.keep_open, job.test_units, job.key_limits, job.open_dependencies,
       job.failure_budget, job.failure_budget_percent, job.stop_early, job.final_step_state, job.schedule_id,
       job.cancel_requested_at, job.cancel_reason, job.error, job.created_at, job.started_at, job.finished_at,
       job.settled_event, job.gpu, job.gpu_waits_since,
       job_count.total AS count_total, job_count.available AS count_available, job_count.running AS count_running,
       job_count.completed AS count_completed, job_count.failed AS count_failed, job_count.cancelled AS count_cancelled,
       (SELECT json_group_object(key, value) FROM job_label WHERE job_label.job_seq = job.seq) AS labels
FROM job JOIN job_count ON job_count.job_seq = job.seq;
