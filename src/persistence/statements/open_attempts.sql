-- One for each unit just claimed. Binds: unit_seqs (JSON array), nonce, worker_id, executor, mode, now.
INSERT INTO attempt (unit_seq, attempt, nonce, worker_id, executor, mode, started_at)
SELECT unit.seq, unit.attempt, @nonce, @worker_id, @executor, @mode, @now
FROM json_each(@unit_seqs) AS claimed CROSS JOIN unit ON unit.seq = claimed.value;
