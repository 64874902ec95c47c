-- Progress of one attempt, while no later one has reported any. Binds: unit_seq, attempt.
SELECT current AS progress_current, total AS progress_total, message AS progress_message, stage AS progress_stage
FROM unit_progress WHERE unit_seq = @unit_seq AND attempt = @attempt;
