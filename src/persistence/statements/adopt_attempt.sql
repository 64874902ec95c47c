-- Binds: unit_seq, attempt, worker_id.
UPDATE attempt SET worker_id = @worker_id WHERE unit_seq = @unit_seq AND attempt = @attempt AND outcome = 'running';
