-- Moves the due time if nobody has moved it. Binds: schedule_id, from_at, to_at.
UPDATE schedule SET next_run_at = @to_at WHERE id = @schedule_id AND next_run_at IS @from_at;
