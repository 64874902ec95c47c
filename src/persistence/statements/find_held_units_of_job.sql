-- Running units of one job in order of creation. Binds: job_seq.
SELECT unit.id AS unit_id, unit.attempt, unit.nonce, unit.leased_by AS worker_id, unit.job_seq, unit.limit_key, unit.failures,
       attempt.executor, attempt.started_at AS attempt_started_at, attempt.elapsed_ms,
       attempt.runner_pid, attempt.runner_start_time, attempt.runner_boot_id,
       attempt.remote_worker, attempt.remote_id
FROM attempt INDEXED BY attempt_running JOIN unit ON unit.seq = attempt.unit_seq
WHERE attempt.outcome = 'running' AND unit.job_seq = @job_seq AND unit.state = 'running'
ORDER BY unit.seq;
