-- Unfinished jobs held for a person, oldest first. Binds: limit.
SELECT * FROM job_snapshot WHERE held_at IS NOT NULL AND finished_at IS NULL ORDER BY seq LIMIT +@limit;
