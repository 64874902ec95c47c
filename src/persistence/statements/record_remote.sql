-- Fenced. Before anything is sent to the worker. Binds: unit_id, attempt, nonce, worker_id, remote_worker, remote_id.
UPDATE attempt SET remote_worker = @remote_worker, remote_id = @remote_id
WHERE attempt = @attempt AND outcome = 'running' AND unit_seq = (
  SELECT seq FROM unit
  WHERE id = @unit_id AND attempt = @attempt AND nonce = @nonce AND leased_by = @worker_id AND state = 'running'
);
