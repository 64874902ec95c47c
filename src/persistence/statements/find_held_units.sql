-- Running units in order of creation. Binds: lease_expired_before (null: all), limit.
SELECT unit.id AS unit_id, unit.attempt, unit.nonce, unit.leased_by AS worker_id, unit.job_seq, unit.limit_key, unit.failures,
       attempt.executor, attempt.started_at AS attempt_started_at, attempt.elapsed_ms,
       attempt.runner_pid, attempt.runner_start_time, attempt.runner_boot_id,
       attempt.remote_worker, attempt.remote_id
FROM worker CROSS JOIN unit ON unit.leased_by = worker.id AND unit.state = 'running'
JOIN attempt ON attempt.unit_seq = unit.seq AND attempt.attempt = unit.attempt
WHERE @lease_expired_before IS NULL OR worker.lease_expires_at < @lease_expired_before
ORDER BY unit.seq LIMIT +@limit;
