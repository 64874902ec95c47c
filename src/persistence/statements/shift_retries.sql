-- Waiting units that ran before are backing off; their due time moves with a wall clock that was set. Binds: by_ms.
UPDATE unit SET available_at = max(0, available_at + @by_ms)
WHERE state = 'available' AND attempt > 0 AND available_at > 0;
