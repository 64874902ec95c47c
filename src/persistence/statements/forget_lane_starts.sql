-- Older than any window. Binds: since.
DELETE FROM lane_start WHERE started_at < @since;
