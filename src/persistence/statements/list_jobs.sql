-- A keyset page, newest first, walking the primary key.
-- Binds: before_seq (null: from the newest), limit, and the filters state, type, queue, labels (JSON array of key and value), created_after,
-- created_before, each null for any.
SELECT * FROM job_snapshot
WHERE seq < coalesce(@before_seq, 9223372036854775807)
  AND (@state IS NULL OR state = @state)
  AND (@type IS NULL OR type = @type)
  AND (@queue IS NULL OR queue = @queue)
  AND (@created_after IS NULL OR created_at > @created_after)
  AND (@created_before IS NULL OR created_at < @created_before)
  AND (@labels IS NULL OR NOT EXISTS (
    SELECT 1 FROM json_each(@labels) AS wanted
    WHERE NOT EXISTS (SELECT 1 FROM job_label
                      WHERE job_label.job_seq = job_snapshot.seq AND job_label.key = wanted.value ->> 0 AND job_label.value = wanted.value ->> 1)))
ORDER BY seq DESC LIMIT +@limit;
