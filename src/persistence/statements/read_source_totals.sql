-- Items that sources of a job have not given (a cancelled job's never will), and how many were known. Binds: job_seq.
SELECT coalesce(sum(max(0, total - added - skipped)), 0) AS waiting, coalesce(sum(skipped), 0) AS skipped
FROM job_source WHERE job_seq = @job_seq;
