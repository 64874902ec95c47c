-- Jobs by state.
SELECT queued, running, completed, failed, cancelled FROM state_count;
