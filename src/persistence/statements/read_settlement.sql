-- How a job settles, once no unit can move any more; no row before. A cancel that came too late leaves it completed; one that
-- was not a wish (a failed unit, a deadline) leaves it failed. Binds: job_seq.
SELECT CASE
         WHEN job_count.cancelled > 0 AND job.cancel_reason IN ('user', 'dependency', 'rejected', 'overlap') THEN 'cancelled'
         WHEN job_count.failed > 0 OR job_count.cancelled > 0 THEN 'failed'
         ELSE 'completed' END AS state,
       (SELECT attempt.error FROM unit JOIN attempt ON attempt.unit_seq = unit.seq AND attempt.attempt = unit.attempt
        WHERE unit.job_seq = job.seq AND unit.state = 'failed' ORDER BY unit.position LIMIT 1) AS error
FROM job JOIN job_count ON job_count.job_seq = job.seq
WHERE job.seq = @job_seq AND job.state IN ('queued', 'running') AND job.sealed_at IS NOT NULL
  AND job_count.available = 0 AND job_count.running = 0;
