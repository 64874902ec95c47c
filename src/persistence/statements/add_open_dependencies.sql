-- Binds: job_seq, added.
UPDATE job SET open_dependencies = open_dependencies + @added WHERE seq = @job_seq AND state IN ('queued', 'running');
