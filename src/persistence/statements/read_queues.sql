-- Every queue that ever had a job or a limit.
SELECT name, concurrency, rate_limit_count, rate_limit_window_ms, paused_at FROM queue ORDER BY name;
