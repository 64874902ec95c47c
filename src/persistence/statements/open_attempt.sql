-- Binds: unit_seq, attempt, nonce, worker_id, executor, mode, now.
INSERT INTO attempt (unit_seq, attempt, nonce, worker_id, executor, mode, started_at)
VALUES (@unit_seq, @attempt, @nonce, @worker_id, @executor, @mode, @now);
