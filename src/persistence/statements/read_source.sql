-- A source that still adds units; no row: it has ended. Binds: source_seq.
SELECT job_seq FROM job_source WHERE seq = @source_seq AND done_at IS NULL;
