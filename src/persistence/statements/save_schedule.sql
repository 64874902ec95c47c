-- Makes a schedule, or replaces what is known of it. Binds: id, name, cron, every_ms, anchor_at, time_zone, missed_policy,
-- overlap_policy, submission, enabled, next_run_at, created_at, updated_at.
INSERT INTO schedule (id, name, cron, every_ms, anchor_at, time_zone, missed_policy, overlap_policy, submission, enabled,
                      next_run_at, created_at, updated_at)
VALUES (@id, @name, @cron, @every_ms, @anchor_at, @time_zone, @missed_policy, @overlap_policy, @submission, @enabled,
        @next_run_at, @created_at, @updated_at)
ON CONFLICT (id) DO UPDATE SET
  name = excluded.name, cron = excluded.cron, every_ms = excluded.every_ms, anchor_at = excluded.anchor_at,
  time_zone = excluded.time_zone, missed_policy = excluded.missed_policy, overlap_policy = excluded.overlap_policy,
  submission = excluded.submission, enabled = excluded.enabled, next_run_at = excluded.next_run_at,
  updated_at = excluded.updated_at;
