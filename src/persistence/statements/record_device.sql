-- Fenced. Binds: unit_id, attempt, nonce, worker_id, device, mode (null: as it is).
UPDATE attempt SET device = @device, mode = coalesce(@mode, mode)
WHERE attempt = @attempt AND outcome = 'running' AND unit_seq = (
  SELECT seq FROM unit
  WHERE id = @unit_id AND attempt = @attempt AND nonce = @nonce AND leased_by = @worker_id AND state = 'running'
);
