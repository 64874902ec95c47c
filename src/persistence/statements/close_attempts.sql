-- The running attempts of units that completed: one each. Without `measured` nothing is taken out of the array but the unit.
-- Binds: attempts (JSON array of [unit_seq, elapsed_ms, output_bytes, dropped_bytes]), measured (0/1: not all are 0), now.
UPDATE attempt SET outcome = 'completed', finished_at = @now,
                   elapsed_ms = iif(@measured, ended.value ->> 1, 0),
                   output_bytes = iif(@measured, ended.value ->> 2, 0),
                   dropped_bytes = iif(@measured, ended.value ->> 3, 0)
FROM json_each(@attempts) AS ended
WHERE attempt.unit_seq = ended.value ->> 0 AND attempt.outcome = 'running';
