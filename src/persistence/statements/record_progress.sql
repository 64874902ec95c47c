-- Binds: unit_seq, attempt, current, total, message, stage, now.
INSERT INTO unit_progress (unit_seq, attempt, current, total, message, stage, updated_at)
VALUES (@unit_seq, @attempt, @current, @total, @message, @stage, @now)
ON CONFLICT (unit_seq) DO UPDATE SET attempt = excluded.attempt, current = excluded.current, total = excluded.total,
  message = excluded.message, stage = excluded.stage, updated_at = excluded.updated_at;
