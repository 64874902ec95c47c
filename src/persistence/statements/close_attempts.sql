-- The running attempts of units. Binds: attempts (JSON array of [unit_seq, attempt]), elapsed_ms, output_bytes, dropped_bytes, now.
UPDATE attempt SET outcome = 'completed', elapsed_ms = @elapsed_ms, output_bytes = @output_bytes,
                   dropped_bytes = @dropped_bytes, finished_at = @now
FROM (SELECT value ->> 0 AS unit_seq, value ->> 1 AS attempt FROM json_each(@attempts)) AS ended
WHERE attempt.unit_seq = ended.unit_seq AND attempt.attempt = ended.attempt AND attempt.outcome = 'running';
