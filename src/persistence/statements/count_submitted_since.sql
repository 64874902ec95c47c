-- Binds: since.
SELECT count(*) AS jobs FROM job WHERE created_at > @since;
