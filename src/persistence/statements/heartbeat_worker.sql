-- Extends the lease of everything the worker holds. No change: unknown or stopped. Binds: worker_id, now, lease_expires_at.
UPDATE worker SET heartbeat_at = @now, lease_expires_at = @lease_expires_at WHERE id = @worker_id AND stopped_at IS NULL;
