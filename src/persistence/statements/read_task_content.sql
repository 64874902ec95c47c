-- What the id of a task was used for, and by whom. Binds: id_hash.
SELECT principal, content_hash FROM task WHERE id_hash = @id_hash;
