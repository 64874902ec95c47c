-- Fenced. Binds: unit_id, attempt, nonce, worker_id, checkpoint, format (null: none was declared).
UPDATE unit_payload SET checkpoint = @checkpoint, checkpoint_format = @format
WHERE unit_seq = (
  SELECT seq FROM unit
  WHERE id = @unit_id AND attempt = @attempt AND nonce = @nonce AND leased_by = @worker_id AND state = 'running'
);
