-- Items that sources of a job will still give, and how many were known. Binds: job_seq.
SELECT coalesce(sum(iif(done_at IS NULL, max(0, total - added - skipped), 0)), 0) AS waiting, coalesce(sum(skipped), 0) AS skipped
FROM job_source WHERE job_seq = @job_seq;
