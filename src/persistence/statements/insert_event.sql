-- In the transaction of the change it tells of. Binds: type, job_id, unit_id, data, now.
INSERT INTO event (type, job_id, unit_id, data, created_at) VALUES (@type, @job_id, @unit_id, @data, @now);
