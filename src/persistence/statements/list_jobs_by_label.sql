-- A keyset page, newest first, walking the jobs with one label.
-- Binds: before_seq (null: from the newest), limit, and the filters state, type, queue, labels (JSON array of key and value), created_after,
-- created_before, each null for any. And label_key, label_value: the label to walk.
SELECT job_snapshot.* FROM job_label AS walked CROSS JOIN job_snapshot ON job_snapshot.seq = walked.job_seq
WHERE walked.key = @label_key AND walked.value = @label_value AND walked.job_seq < coalesce(@before_seq, 9223372036854775807)
  AND (@state IS NULL OR state = @state)
  AND (@type IS NULL OR type = @type)
  AND (@queue IS NULL OR queue = @queue)
  AND (@created_after IS NULL OR created_at > @created_after)
  AND (@created_before IS NULL OR created_at < @created_before)
  AND (@labels IS NULL OR NOT EXISTS (
    SELECT 1 FROM json_each(@labels) AS wanted
    WHERE NOT EXISTS (SELECT 1 FROM job_label
                      WHERE job_label.job_seq = job_snapshot.seq AND job_label.key = wanted.value ->> 0 AND job_label.value = wanted.value ->> 1)))
ORDER BY walked.job_seq DESC LIMIT +@limit;
