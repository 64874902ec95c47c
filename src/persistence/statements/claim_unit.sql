-- Lease the next due unit of one job by compare-and-set: found by the job's id and a partial index, so the cost does not
-- grow with waiting jobs. No row: nothing may be claimed now. Binds: job_id, worker_id, nonce, now.
UPDATE unit SET state = 'running', attempt = attempt + 1, nonce = @nonce, leased_by = @worker_id
WHERE seq = (
  SELECT unit.seq
  FROM job
  CROSS JOIN queue ON queue.name = job.queue
  CROSS JOIN job_count ON job_count.job_seq = job.seq
  CROSS JOIN unit INDEXED BY unit_available ON unit.job_seq = job.seq
  WHERE job.id = @job_id
    AND job.state IN ('queued', 'running')
    AND job.paused_at IS NULL AND job.held_at IS NULL AND job.frozen_at IS NULL AND job.cancel_requested_at IS NULL
    AND job.open_dependencies = 0
    AND job.run_at <= @now
    AND queue.paused_at IS NULL
    AND (job.concurrency IS NULL OR job_count.running < job.concurrency)
    AND unit.state = 'available' AND unit.available_at <= @now
  ORDER BY unit.available_at, unit.position
  LIMIT 1
)
RETURNING seq, id, job_seq, position, attempt, failures, crashes;
