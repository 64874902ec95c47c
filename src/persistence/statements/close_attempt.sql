-- Binds: unit_seq, attempt, outcome, exit_code, error, elapsed_ms, output_bytes, dropped_bytes, now.
UPDATE attempt SET outcome = @outcome, exit_code = @exit_code, error = @error, elapsed_ms = @elapsed_ms,
                   output_bytes = @output_bytes, dropped_bytes = @dropped_bytes, finished_at = @now
WHERE unit_seq = @unit_seq AND attempt = @attempt AND outcome = 'running';
