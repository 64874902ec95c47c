-- Binds: name, concurrency, rate_count, rate_window_ms, paused_at.
UPDATE queue SET concurrency = @concurrency, rate_limit_count = @rate_count, rate_limit_window_ms = @rate_window_ms,
                 paused_at = @paused_at
WHERE name = @name;
