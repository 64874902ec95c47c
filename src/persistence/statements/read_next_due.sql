-- When the job's next unit may be claimed; null while only another change can make it so. Binds: job_id.
SELECT max(job.run_at, min(unit.available_at)) AS due
FROM job
JOIN queue ON queue.name = job.queue
JOIN job_count ON job_count.job_seq = job.seq
JOIN unit ON unit.job_seq = job.seq AND unit.state = 'available'
WHERE job.id = @job_id
  AND job.paused_at IS NULL AND job.held_at IS NULL AND job.frozen_at IS NULL AND job.cancel_requested_at IS NULL
  AND job.open_dependencies = 0
  AND queue.paused_at IS NULL
  AND (job.concurrency IS NULL OR job_count.running < job.concurrency);
