-- Nothing for a due time that was recorded before, or a schedule that is gone. The event is not known yet.
-- Binds: schedule_id, due_at, outcome, job_id, error, now.
INSERT INTO schedule_run (schedule_id, due_at, outcome, job_id, error, event_id, created_at)
SELECT @schedule_id, @due_at, @outcome, @job_id, @error, 0, @now
WHERE EXISTS (SELECT 1 FROM schedule WHERE id = @schedule_id)
ON CONFLICT (schedule_id, due_at) DO NOTHING;
