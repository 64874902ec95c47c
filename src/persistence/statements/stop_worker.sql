-- What it still holds is free to be recovered. Binds: worker_id, now.
UPDATE worker SET stopped_at = @now, lease_expires_at = min(lease_expires_at, @now) WHERE id = @worker_id AND stopped_at IS NULL;
