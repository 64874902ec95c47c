-- Fenced. Binds: unit_id, attempt, nonce, worker_id, checkpoint.
UPDATE unit_payload SET checkpoint = @checkpoint
WHERE unit_seq = (
  SELECT seq FROM unit
  WHERE id = @unit_id AND attempt = @attempt AND nonce = @nonce AND leased_by = @worker_id AND state = 'running'
);
