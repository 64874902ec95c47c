-- Fenced, and before the state: whoever sees the end can read the result.
-- Binds: unit_id, attempt, nonce, worker_id, completed (0/1: no attempt will go on from the checkpoint),
-- only_cancelling (0/1: only when a cancel was asked for), output.
UPDATE unit_payload SET output = @output, checkpoint = iif(@completed, NULL, checkpoint)
WHERE unit_seq = (
  SELECT seq FROM unit
  WHERE id = @unit_id AND attempt = @attempt AND nonce = @nonce AND leased_by = @worker_id AND state = 'running'
    AND (NOT @only_cancelling OR EXISTS (SELECT 1 FROM job WHERE job.seq = unit.job_seq AND job.cancel_requested_at IS NOT NULL))
);
