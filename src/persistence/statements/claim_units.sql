-- Lease the next due units of one lane of a job by compare-and-set: found by the job's id and a partial index in the order
-- wanted, so the cost grows with what is claimed alone. No row: nothing may be claimed now.
-- Binds: job_id, for_gpu (0/1), limit_key (null: units without one), limit, worker_id, nonce, now.
UPDATE unit SET state = 'running', attempt = attempt + 1, nonce = @nonce, leased_by = @worker_id
WHERE seq IN (
  SELECT unit.seq
  FROM job
  CROSS JOIN queue ON queue.name = job.queue
  CROSS JOIN unit INDEXED BY unit_available ON unit.job_seq = job.seq
  WHERE job.id = @job_id
    AND job.state IN ('queued', 'running')
    AND job.paused_at IS NULL AND job.held_at IS NULL AND job.frozen_at IS NULL AND job.cancel_requested_at IS NULL
    AND job.open_dependencies = 0
    AND job.run_at <= @now
    AND queue.paused_at IS NULL
    AND unit.for_gpu = @for_gpu AND unit.limit_key IS @limit_key
    AND unit.state = 'available' AND unit.available_at <= @now
  ORDER BY unit.available_at, unit.position
  LIMIT coalesce((SELECT max(0, min(@limit, coalesce(job.concurrency - job_count.running, @limit)))
                  FROM job JOIN job_count ON job_count.job_seq = job.seq WHERE job.id = @job_id), 0)
)
RETURNING seq, id, job_seq, position, key, limit_key, final_step, attempt, failures, crashes;
