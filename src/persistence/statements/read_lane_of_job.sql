-- When the first available unit of one limit key of a job is due. Binds: job_seq, limit_key.
SELECT available_at AS due FROM unit INDEXED BY unit_available
WHERE job_seq = @job_seq AND limit_key = @limit_key AND state = 'available'
ORDER BY available_at LIMIT 1;
