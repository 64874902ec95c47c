-- Binds: since.
SELECT queue, key, started_at AS startedAt FROM lane_start WHERE started_at >= @since ORDER BY started_at, seq;
