-- In the transaction that recorded the run. Binds: schedule_id, due_at, event_id.
UPDATE schedule_run SET event_id = @event_id WHERE schedule_id = @schedule_id AND due_at = @due_at AND event_id = 0;
