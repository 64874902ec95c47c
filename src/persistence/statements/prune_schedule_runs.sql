-- Keeps the newest runs of a schedule. Binds: schedule_id, keep.
DELETE FROM schedule_run WHERE schedule_id = @schedule_id AND due_at < (
  SELECT due_at FROM schedule_run WHERE schedule_id = @schedule_id ORDER BY due_at DESC LIMIT 1 OFFSET @keep - 1);
