-- Read from the index of ended jobs alone. Binds: since.
SELECT coalesce(sum(state = 'completed'), 0) AS completed, coalesce(sum(state = 'failed'), 0) AS failed,
       coalesce(sum(state = 'cancelled'), 0) AS cancelled
FROM job INDEXED BY job_finished WHERE finished_at > @since;
