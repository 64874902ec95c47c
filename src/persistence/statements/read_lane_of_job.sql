-- When the first available unit of one limit key of a job is due. Binds: job_seq, for_gpu (0/1), limit_key (null: of none).
SELECT available_at AS due FROM unit INDEXED BY unit_available
WHERE job_seq = @job_seq AND for_gpu = @for_gpu AND limit_key IS @limit_key AND state = 'available'
ORDER BY available_at LIMIT 1;
