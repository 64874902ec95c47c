-- Binds: source_seq, cursor, added, skipped, done_at (null: it goes on).
UPDATE job_source SET cursor = @cursor, added = added + @added, skipped = skipped + @skipped, done_at = @done_at
WHERE seq = @source_seq AND done_at IS NULL
RETURNING added, skipped;
