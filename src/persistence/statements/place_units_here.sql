-- A slice of the units that wait for a GPU worker: they run on this machine. Binds: job_seq, limit.
UPDATE unit SET for_gpu = 0
WHERE seq IN (SELECT seq FROM unit INDEXED BY unit_available
              WHERE job_seq = @job_seq AND for_gpu = 1 AND state = 'available' LIMIT +@limit)
RETURNING seq;
