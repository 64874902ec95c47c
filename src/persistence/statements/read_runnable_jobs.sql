-- Jobs of one stored state, of any queue (null) or one, with available units that only time keeps from being claimed, oldest
-- first. `keyless_due`: of the first unit without limit key; null: there is none. Binds: state, queue, after_seq, limit.
SELECT job.id AS job_id, job.seq, job.queue, job.type, job.priority, job.submitted_by, job.key_limits, job.run_at, job.gpu,
       (SELECT unit.available_at FROM unit INDEXED BY unit_available
        WHERE unit.job_seq = job.seq AND unit.for_gpu = 0 AND unit.limit_key IS NULL AND unit.state = 'available'
        ORDER BY unit.available_at LIMIT 1) AS keyless_due,
       EXISTS (SELECT 1 FROM unit INDEXED BY unit_available
               WHERE unit.job_seq = job.seq AND unit.for_gpu = 0 AND unit.limit_key >= '' AND unit.state = 'available') AS has_keys
FROM job INDEXED BY job_by_state CROSS JOIN queue ON queue.name = job.queue
WHERE job.state = @state AND job.seq > @after_seq
  AND (@queue IS NULL OR job.queue = @queue)
  AND job.paused_at IS NULL AND job.held_at IS NULL AND job.frozen_at IS NULL AND job.cancel_requested_at IS NULL
  AND job.open_dependencies = 0
  AND queue.paused_at IS NULL
  AND EXISTS (SELECT 1 FROM unit INDEXED BY unit_available WHERE unit.job_seq = job.seq AND unit.state = 'available')
ORDER BY job.seq LIMIT +@limit;
