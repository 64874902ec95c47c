-- Due times that did not become a job, oldest event first. Binds: after_event, limit.
SELECT schedule_run.*, schedule.name AS schedule_name
FROM schedule_run JOIN schedule ON schedule.id = schedule_run.schedule_id
WHERE schedule_run.outcome <> 'submitted' AND schedule_run.event_id > @after_event
ORDER BY schedule_run.event_id LIMIT +@limit;
