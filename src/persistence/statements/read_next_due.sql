-- When the next unit of a lane may be claimed; null while only another change can make it so. 
-- Binds: job_id, for_gpu (0/1), limit_key.
SELECT max(job.run_at, (SELECT unit.available_at FROM unit INDEXED BY unit_available
                        WHERE unit.job_seq = job.seq AND unit.for_gpu = @for_gpu AND unit.limit_key IS @limit_key AND unit.state = 'available'
                        ORDER BY unit.available_at LIMIT 1)) AS due
FROM job
JOIN queue ON queue.name = job.queue
JOIN job_count ON job_count.job_seq = job.seq
WHERE job.id = @job_id
  AND job.paused_at IS NULL AND job.held_at IS NULL AND job.frozen_at IS NULL AND job.cancel_requested_at IS NULL
  AND job.open_dependencies = 0
  AND queue.paused_at IS NULL
  AND (job.concurrency IS NULL OR job_count.running < job.concurrency);
