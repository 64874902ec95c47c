-- Unfinished jobs with units that could run on a GPU worker now: first those that may fall back, whom many that must wait would
-- hide; among equals the oldest first. Binds: now, limit.
SELECT job.id, job.seq, job.type, job.gpu, job.gpu_waits_since,
       job_count.running > 0
       AND EXISTS (SELECT 1 FROM attempt INDEXED BY attempt_running CROSS JOIN unit ON unit.seq = attempt.unit_seq
                   WHERE attempt.outcome = 'running' AND attempt.executor = 'gpu' AND unit.job_seq = job.seq) AS is_served
FROM job INDEXED BY job_for_gpu JOIN queue ON queue.name = job.queue JOIN job_count ON job_count.job_seq = job.seq
WHERE job.gpu <> 'never' AND job.finished_at IS NULL
  AND job.paused_at IS NULL AND job.held_at IS NULL AND job.frozen_at IS NULL AND job.cancel_requested_at IS NULL
  AND job.open_dependencies = 0 AND job.run_at <= @now AND queue.paused_at IS NULL
  AND EXISTS (SELECT 1 FROM unit INDEXED BY unit_available
              WHERE unit.job_seq = job.seq AND unit.for_gpu = 1 AND unit.state = 'available' AND unit.available_at <= @now)
ORDER BY job.gpu = 'require', job.seq LIMIT +@limit;
