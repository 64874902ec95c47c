-- One row when the fence matches. Binds: unit_id, attempt, nonce, worker_id.
SELECT 1 AS held FROM unit
WHERE id = @unit_id AND attempt = @attempt AND nonce = @nonce AND leased_by = @worker_id AND state = 'running';
