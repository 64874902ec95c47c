-- Works of a range of hashes that were not seen for long. Binds: after_hash, last_hash, before.
DELETE FROM duration WHERE work_hash > @after_hash AND work_hash <= @last_hash AND updated_at < @before;
