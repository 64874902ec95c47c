-- The caller becomes the only one whose writes are accepted. Binds: holder, now.
INSERT INTO leader (only, epoch, holder, raised_at) VALUES (1, 1, @holder, @now)
ON CONFLICT (only) DO UPDATE SET epoch = leader.epoch + 1, holder = excluded.holder, raised_at = excluded.raised_at
RETURNING epoch;
