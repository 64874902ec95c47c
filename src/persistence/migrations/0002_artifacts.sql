-- min_app_version: 0.1.0
-- Files that attempts made: `artifacts/<name>` in the directory of the attempt holds the bytes. Attempts that were tried again
-- keep theirs until the job is deleted, but only those of the last one are shown.
-- `job_seq` and `position` are the unit's own: the files of a job are found without a walk over its units.
CREATE TABLE artifact (
  unit_seq   INTEGER NOT NULL REFERENCES unit (seq) ON DELETE CASCADE,
  attempt    INTEGER NOT NULL CHECK (attempt > 0),
  nonce      TEXT    NOT NULL,                                   -- with unit and attempt: the name of the directory
  name       TEXT    NOT NULL CHECK (name <> ''),
  media_type TEXT    NOT NULL,
  bytes      INTEGER NOT NULL CHECK (bytes >= 0),
  sha256     TEXT    NOT NULL,                                   -- of the content, hex
  job_seq    INTEGER NOT NULL,
  position   INTEGER NOT NULL,
  PRIMARY KEY (unit_seq, attempt, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX artifact_of_job ON artifact (job_seq, position, name);
