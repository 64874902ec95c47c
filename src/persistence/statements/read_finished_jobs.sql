-- Jobs that became final after an event, in that order. Binds: after_event, limit.
SELECT * FROM job_snapshot WHERE settled_event > @after_event ORDER BY settled_event LIMIT +@limit;
