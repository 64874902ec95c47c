-- Of a queue and its keys. Binds: queue, now.
DELETE FROM lane_hold WHERE queue = @queue AND held_until > @now;
