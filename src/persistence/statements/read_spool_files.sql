-- Specs of spools that have not given everything: few, for a spool is done long before its job.
SELECT spec FROM job_source WHERE kind = 'spool' AND added + skipped < total;
