-- Binds: name.
SELECT name, concurrency, rate_limit_count, rate_limit_window_ms, paused_at FROM queue WHERE name = @name;
