-- A page in order of position, found by what runs in all jobs. Binds: job_id, after_position, limit.
SELECT unit_snapshot.* FROM attempt INDEXED BY attempt_running CROSS JOIN unit_snapshot ON unit_snapshot.seq = attempt.unit_seq
WHERE attempt.outcome = 'running' AND unit_snapshot.job_id = @job_id AND unit_snapshot.state = 'running'
  AND unit_snapshot.position > @after_position
ORDER BY unit_snapshot.position LIMIT +@limit;
