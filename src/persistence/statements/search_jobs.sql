-- Full-text matches, newest first, with the parameters that were indexed.
-- Binds: before_seq (null: from the newest), limit, and the filters state, type, queue, labels (JSON array of key and value), created_after,
-- created_before, each null for any. And match: an FTS5 string of quoted words.
SELECT job_snapshot.*, job_payload.params
FROM job_search CROSS JOIN job_snapshot ON job_snapshot.seq = job_search.rowid
CROSS JOIN job_payload ON job_payload.job_seq = job_search.rowid
WHERE job_search MATCH @match AND job_search.rowid < CAST(coalesce(@before_seq, 9223372036854775807) AS INTEGER)
  AND (@state IS NULL OR state = @state)
  AND (@type IS NULL OR type = @type)
  AND (@queue IS NULL OR queue = @queue)
  AND (@created_after IS NULL OR created_at > @created_after)
  AND (@created_before IS NULL OR created_at < @created_before)
  AND (@labels IS NULL OR NOT EXISTS (
    SELECT 1 FROM json_each(@labels) AS wanted
    WHERE NOT EXISTS (SELECT 1 FROM job_label
                      WHERE job_label.job_seq = job_snapshot.seq AND job_label.key = wanted.value ->> 0 AND job_label.value = wanted.value ->> 1)))
ORDER BY job_search.rowid DESC LIMIT +@limit;
