-- What decides how a job ends beside its counts: the error of the failed unit with the lowest position, how the final step
-- ended, and whether a source was cut short. Binds: job_seq.
SELECT (SELECT attempt.error FROM unit JOIN attempt ON attempt.unit_seq = unit.seq AND attempt.attempt = unit.attempt
        WHERE unit.job_seq = job_count.job_seq AND unit.state = 'failed' ORDER BY unit.position LIMIT 1) AS error,
       (SELECT unit.state FROM unit
        WHERE unit.job_seq = job_count.job_seq AND unit.position = job_count.total) AS final_step,
       EXISTS (SELECT 1 FROM job_source
               WHERE job_source.job_seq = job_count.job_seq AND added + skipped < job_source.total) AS is_cut_short
FROM job_count WHERE job_seq = @job_seq;
