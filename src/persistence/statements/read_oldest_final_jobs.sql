-- Those that ended first come first. Binds: limit.
SELECT * FROM job_snapshot WHERE finished_at IS NOT NULL ORDER BY finished_at LIMIT +@limit;
