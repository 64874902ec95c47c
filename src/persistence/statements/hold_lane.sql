-- The later end wins. Binds: queue, key, until, reason.
INSERT INTO lane_hold (queue, key, held_until, reason) VALUES (@queue, @key, @until, @reason)
ON CONFLICT (queue, key) DO UPDATE SET held_until = excluded.held_until, reason = excluded.reason
WHERE excluded.held_until > held_until;
