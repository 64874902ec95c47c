-- Binds: now.
SELECT queue, key, held_until AS until, reason FROM lane_hold WHERE held_until > @now ORDER BY queue, key;
