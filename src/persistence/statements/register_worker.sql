-- Binds: id, kind, name, pid, slots, now, lease_expires_at.
INSERT INTO worker (id, kind, name, pid, slots, started_at, heartbeat_at, lease_expires_at)
VALUES (@id, @kind, @name, @pid, @slots, @now, @now, @lease_expires_at)
ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, name = excluded.name, pid = excluded.pid, slots = excluded.slots,
  heartbeat_at = excluded.heartbeat_at, lease_expires_at = excluded.lease_expires_at, stopped_at = NULL;
