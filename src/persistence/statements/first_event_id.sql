-- The oldest kept event; null when none is kept.
SELECT min(id) AS id FROM event;
