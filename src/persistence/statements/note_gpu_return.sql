-- Binds: unit_seq, restarted (0/1), reason (JSON; null: it goes to a GPU worker again).
INSERT INTO unit_gpu (unit_seq, restarts, fallback_reason) VALUES (@unit_seq, @restarted, @reason)
ON CONFLICT (unit_seq) DO UPDATE SET
  restarts = restarts + excluded.restarts,
  fallback_reason = coalesce(excluded.fallback_reason, fallback_reason);
