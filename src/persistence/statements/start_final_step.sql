-- All other units have ended. Binds: job_seq.
UPDATE job SET final_step_state = 'running' WHERE seq = @job_seq AND final_step_state = 'waiting';
