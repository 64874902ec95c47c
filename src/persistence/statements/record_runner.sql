-- Fenced. Binds: unit_id, attempt, nonce, worker_id, pid, start_time, boot_id.
UPDATE attempt SET runner_pid = @pid, runner_start_time = @start_time, runner_boot_id = @boot_id
WHERE attempt = @attempt AND outcome = 'running' AND unit_seq = (
  SELECT seq FROM unit
  WHERE id = @unit_id AND attempt = @attempt AND nonce = @nonce AND leased_by = @worker_id AND state = 'running'
);
