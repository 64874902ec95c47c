-- Binds: id, queue, type, name, priority, run_at, concurrency, max_attempts, rerun_of, submitted_by, schedule_id, sealed_at,
-- keep_open (0/1), test_units, key_limits, failure_budget, failure_budget_percent, stop_early (0/1), final_step_state, gpu, now.
INSERT INTO job (id, queue, type, name, priority, run_at, concurrency, max_attempts, rerun_of, submitted_by, schedule_id,
                 sealed_at, keep_open, test_units, key_limits, failure_budget, failure_budget_percent, stop_early,
                 final_step_state, gpu, created_at)
VALUES (@id, @queue, @type, @name, @priority, @run_at, @concurrency, @max_attempts, @rerun_of, @submitted_by, @schedule_id,
        @sealed_at, @keep_open, @test_units, @key_limits, @failure_budget, @failure_budget_percent, @stop_early,
        @final_step_state, @gpu, @now);
