-- Fenced. Binds: unit_id, attempt, nonce, worker_id, elapsed_ms.
UPDATE attempt SET elapsed_ms = @elapsed_ms
WHERE attempt = @attempt AND outcome = 'running' AND unit_seq = (
  SELECT seq FROM unit
  WHERE id = @unit_id AND attempt = @attempt AND nonce = @nonce AND leased_by = @worker_id AND state = 'running'
)
RETURNING unit_seq;
