-- min_app_version: 0.1.0
-- Waits that outlive whoever waits. Whoever names a task may see and cancel it, so only the hash of its id is stored.
CREATE TABLE task (
  seq          INTEGER PRIMARY KEY,
  id_hash      BLOB    NOT NULL UNIQUE CHECK (length(id_hash) = 32),
  principal    TEXT    NOT NULL,                                 -- nobody else finds it
  tool         TEXT    NOT NULL CHECK (tool IN ('submit_job', 'wait_for_jobs')),
  until        TEXT    NOT NULL CHECK (until = 'all_ended' OR until = 'any_ended' OR until = 'any_changed'),
  since        INTEGER NOT NULL,                                 -- any_changed: events after it count
  ids          TEXT    NOT NULL,                                 -- JSON: as asked for, unknown ones too
  job_count    INTEGER NOT NULL CHECK (job_count > 0),           -- how many of them there were
  submitted    TEXT,                                             -- JSON: what the submit said beside the job
  content_hash TEXT    NOT NULL,                                 -- the same id with another hash is a conflict
  created_at   INTEGER NOT NULL,
  cancelled_at INTEGER,
  settled_at   INTEGER,
  outcome      TEXT,                                             -- JSON: the answer, as it was when its end was first seen
  CHECK ((settled_at IS NULL) = (outcome IS NULL)),
  CHECK (settled_at IS NULL OR cancelled_at IS NULL)
) STRICT;

CREATE TABLE task_job (
  task_seq INTEGER NOT NULL REFERENCES task (seq) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  job_seq  INTEGER NOT NULL REFERENCES job (seq) ON DELETE CASCADE,
  PRIMARY KEY (task_seq, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX task_job_of_job ON task_job (job_seq);

-- A task lives as long as any of its jobs.
CREATE TRIGGER task_job_deleted AFTER DELETE ON task_job BEGIN
  DELETE FROM task
  WHERE seq = OLD.task_seq AND NOT EXISTS (SELECT 1 FROM task_job WHERE task_job.task_seq = OLD.task_seq);
END;

CREATE TRIGGER task_updated AFTER UPDATE ON task BEGIN
  SELECT RAISE(ABORT, 'the task has ended') WHERE OLD.settled_at IS NOT NULL OR OLD.cancelled_at IS NOT NULL;
END;
