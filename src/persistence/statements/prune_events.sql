-- The oldest events beyond the newest @keep, a slice at a time. Binds: keep, limit.
DELETE FROM event WHERE id IN (
  SELECT id FROM event
  WHERE id < (SELECT id FROM event ORDER BY id DESC LIMIT 1 OFFSET max(0, @keep - 1)) OR @keep = 0
  ORDER BY id LIMIT +@limit
);
