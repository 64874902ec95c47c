-- Holds that are over. Binds: now.
DELETE FROM lane_hold WHERE held_until <= @now;
