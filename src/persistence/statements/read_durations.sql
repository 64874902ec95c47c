-- Binds: work_hash.
SELECT samples_ms FROM duration WHERE work_hash = @work_hash;
