-- Newest due time first. Binds: schedule_id, limit.
SELECT * FROM schedule_run WHERE schedule_id = @schedule_id ORDER BY due_at DESC LIMIT +@limit;
