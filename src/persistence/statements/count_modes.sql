-- How the units of a job ran last: one row for each mode and device. Binds: job_seq.
SELECT attempt.mode, attempt.device, count(*) AS units,
       max(attempt.fallback_reason) AS fallback_reason, max(attempt.remote_worker) AS remote_worker,
       sum(attempt.outcome = 'running') AS running
FROM unit CROSS JOIN attempt ON attempt.unit_seq = unit.seq AND attempt.attempt = unit.attempt
WHERE unit.job_seq = @job_seq AND unit.final_step = 0
GROUP BY attempt.mode, attempt.device ORDER BY units DESC, attempt.mode, attempt.device LIMIT 20;
