-- Adds to the newest record, if it is of the same rule and not older than since. Binds: at, jobs, bytes, rule, since.
UPDATE pruning SET at = @at, jobs = jobs + @jobs, bytes = bytes + @bytes
WHERE seq = (SELECT max(seq) FROM pruning) AND rule = @rule AND at > @since;
