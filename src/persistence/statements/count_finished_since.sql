-- Binds: since.
SELECT state, count(*) AS jobs FROM job WHERE finished_at > @since GROUP BY state;
