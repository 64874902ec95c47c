-- In the transaction that ended its unit, or cancelled it before it ran. Binds: job_seq.
UPDATE job SET final_step_state = 'done'
WHERE seq = @job_seq AND final_step_state = 'running'
  AND NOT EXISTS (
    SELECT 1 FROM unit
    WHERE unit.job_seq = job.seq AND unit.position = (SELECT total FROM job_count WHERE job_count.job_seq = job.seq)
      AND unit.finished_at IS NULL);
