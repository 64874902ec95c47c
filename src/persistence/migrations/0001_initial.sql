-- min_app_version: 0.1.0
-- Times are integer milliseconds UTC. JSON is text, written by JSON.stringify and checked at the edge.
-- `seq` is the local row order (FIFO, keyset cursor, full-text rowid); `id` is the public UUIDv7.
-- CHECKs with more than two values are OR chains: a longer IN list is built as a table at every execution (measured).
-- Hot rows hold what state changes touch; payloads, counters and progress live apart from them.

-- The one database a state directory belongs to; the marker file beside it says the same.
CREATE TABLE identity (
  only        INTEGER PRIMARY KEY CHECK (only = 1),
  instance_id TEXT    NOT NULL,
  created_at  INTEGER NOT NULL
) STRICT;

-- Only the holder of the newest epoch may write.
CREATE TABLE leader (
  only      INTEGER PRIMARY KEY CHECK (only = 1),
  epoch     INTEGER NOT NULL CHECK (epoch > 0),
  holder    TEXT    NOT NULL,
  raised_at INTEGER NOT NULL
) STRICT;

CREATE TABLE queue (
  name                 TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
  concurrency          INTEGER CHECK (concurrency > 0),          -- NULL: no limit of its own
  rate_limit_count     INTEGER CHECK (rate_limit_count > 0),     -- claims a window
  rate_limit_window_ms INTEGER CHECK (rate_limit_window_ms > 0),
  paused_at            INTEGER,
  created_at           INTEGER NOT NULL,
  CHECK ((rate_limit_count IS NULL) = (rate_limit_window_ms IS NULL))
) STRICT, WITHOUT ROWID;

-- A lane that was told to slow down: a queue (key ''), or the units of one limit key in it. Claims wait until then.
CREATE TABLE lane_hold (
  queue      TEXT    NOT NULL,
  key        TEXT    NOT NULL,
  held_until INTEGER NOT NULL,
  reason     TEXT    NOT NULL,
  PRIMARY KEY (queue, key)
) STRICT, WITHOUT ROWID;

-- Claims in lanes with a rate limit, so that a restart starts no burst; older than the window they are deleted.
CREATE TABLE lane_start (
  seq        INTEGER PRIMARY KEY,
  queue      TEXT    NOT NULL,
  key        TEXT    NOT NULL,
  started_at INTEGER NOT NULL
) STRICT;
CREATE INDEX lane_start_by_time ON lane_start (started_at);

CREATE TABLE schedule (
  id             TEXT PRIMARY KEY,
  name           TEXT    NOT NULL UNIQUE,
  cron           TEXT,
  every_ms       INTEGER CHECK (every_ms > 0),
  anchor_at      INTEGER NOT NULL,                               -- "every" counts from here
  time_zone      TEXT    NOT NULL,
  missed_policy  TEXT    NOT NULL CHECK (missed_policy IN ('skip', 'once', 'all')),
  overlap_policy TEXT    NOT NULL CHECK (overlap_policy IN ('skip', 'queue', 'cancel')),
  submission     TEXT    NOT NULL,                               -- JSON of the job to submit, with its captured context
  enabled        INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
  next_run_at    INTEGER,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  CHECK ((cron IS NULL) <> (every_ms IS NULL))
) STRICT;
CREATE INDEX schedule_due ON schedule (next_run_at) WHERE enabled = 1 AND next_run_at IS NOT NULL;

CREATE TABLE job (
  seq                    INTEGER PRIMARY KEY AUTOINCREMENT,      -- never reused, not even after pruning
  id                     TEXT    NOT NULL UNIQUE,
  queue                  TEXT    NOT NULL REFERENCES queue (name),
  type                   TEXT    NOT NULL,
  name                   TEXT    NOT NULL,
  state                  TEXT    NOT NULL DEFAULT 'queued'
                         CHECK (state = 'queued' OR state = 'running' OR state = 'completed' OR state = 'failed' OR state = 'cancelled'),
  priority               INTEGER NOT NULL CHECK (priority BETWEEN 1 AND 4),  -- 1 runs first
  run_at                 INTEGER NOT NULL,
  concurrency            INTEGER CHECK (concurrency > 0),
  max_attempts           INTEGER NOT NULL CHECK (max_attempts BETWEEN 1 AND 100),
  rerun_of               TEXT,                                   -- history: the first run may be pruned
  submitted_by           TEXT    NOT NULL,
  schedule_id            TEXT,
  paused_at              INTEGER,                                -- flags, not states
  frozen_at              INTEGER,
  held_at                INTEGER,
  hold_kind              TEXT    CHECK (hold_kind IN ('review', 'permission')),
  decision               TEXT    CHECK (decision IN ('approved', 'rejected')),
  decided_at             INTEGER,
  decided_by             TEXT,
  cancel_requested_at    INTEGER,
  cancel_reason          TEXT    CHECK (cancel_reason = 'user' OR cancel_reason = 'unit_failed' OR cancel_reason = 'deadline' OR cancel_reason = 'dependency' OR cancel_reason = 'rejected' OR cancel_reason = 'overlap' OR cancel_reason = 'source'),
  sealed_at              INTEGER,                                -- set while no unit is to be added any more
  keep_open              INTEGER NOT NULL DEFAULT 0 CHECK (keep_open IN (0, 1)), -- sealed only when it is closed by hand
  test_units             INTEGER CHECK (test_units > 0),         -- so many run first, then the job is held for review
  key_limits             TEXT,                                   -- JSON: limits of the units that share a limit key
  open_dependencies      INTEGER NOT NULL DEFAULT 0 CHECK (open_dependencies >= 0),
  failure_budget         INTEGER CHECK (failure_budget >= 0),    -- failed units that do not fail the job
  failure_budget_percent REAL    CHECK (failure_budget_percent BETWEEN 0 AND 100),
  stop_early             INTEGER NOT NULL DEFAULT 0 CHECK (stop_early IN (0, 1)), -- once the budget is exceeded
  final_step_state       TEXT    CHECK (final_step_state = 'waiting' OR final_step_state = 'running' OR final_step_state = 'done'),
  error                  TEXT,
  created_at             INTEGER NOT NULL,
  started_at             INTEGER,
  finished_at            INTEGER,
  settled_event          INTEGER,                                -- id of the event that made it final
  keep_until             INTEGER,                                -- retention: the only column of a final row that may change
  CHECK ((finished_at IS NULL) = (state IN ('queued', 'running'))),
  CHECK ((settled_event IS NOT NULL) = (finished_at IS NOT NULL)),
  CHECK (finished_at IS NULL OR sealed_at IS NOT NULL),
  CHECK (error IS NULL OR finished_at IS NOT NULL),
  CHECK (state <> 'queued' OR started_at IS NULL),
  CHECK (state <> 'running' OR started_at IS NOT NULL),
  CHECK (state <> 'cancelled' OR cancel_requested_at IS NOT NULL),
  CHECK ((cancel_requested_at IS NULL) = (cancel_reason IS NULL)),
  CHECK ((held_at IS NULL) = (hold_kind IS NULL)),
  CHECK ((decision IS NULL) = (decided_at IS NULL))
) STRICT;

CREATE INDEX job_by_state ON job (state, seq);
CREATE INDEX job_by_type ON job (type, seq);
CREATE INDEX job_by_queue ON job (queue, seq);
CREATE INDEX job_cancelling ON job (seq) WHERE cancel_requested_at IS NOT NULL AND finished_at IS NULL;
CREATE INDEX job_rerun ON job (rerun_of) WHERE rerun_of IS NOT NULL;
CREATE INDEX job_created ON job (created_at);
CREATE INDEX job_finished ON job (finished_at, state) WHERE finished_at IS NOT NULL;
CREATE UNIQUE INDEX job_settled ON job (settled_event) WHERE settled_event IS NOT NULL;
CREATE INDEX job_held ON job (seq) WHERE held_at IS NOT NULL AND finished_at IS NULL;
CREATE INDEX job_leaving ON job (seq) WHERE keep_until = 0;                -- its deletion has begun

CREATE TABLE job_payload (
  job_seq    INTEGER PRIMARY KEY REFERENCES job (seq) ON DELETE CASCADE,
  params     TEXT NOT NULL,
  options    TEXT NOT NULL,
  context    TEXT NOT NULL,                                      -- environment and directory of the submitting client
  final_step TEXT,                                               -- id of its unit, and its parameters
  work_hash  TEXT                                                -- same work, same hash: for estimates from earlier runs
) STRICT;

CREATE TABLE job_label (
  job_seq INTEGER NOT NULL REFERENCES job (seq) ON DELETE CASCADE,
  key     TEXT    NOT NULL,
  value   TEXT    NOT NULL,
  PRIMARY KEY (job_seq, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_label_value ON job_label (key, value, job_seq);

-- Units of a job by state, kept by the triggers below and by nothing else. The final step is not counted: final_step_state tells.
CREATE TABLE job_count (
  job_seq   INTEGER PRIMARY KEY REFERENCES job (seq) ON DELETE CASCADE,
  total     INTEGER NOT NULL DEFAULT 0,
  available INTEGER NOT NULL DEFAULT 0 CHECK (available >= 0),
  running   INTEGER NOT NULL DEFAULT 0 CHECK (running >= 0),
  completed INTEGER NOT NULL DEFAULT 0 CHECK (completed >= 0),
  failed    INTEGER NOT NULL DEFAULT 0 CHECK (failed >= 0),
  cancelled INTEGER NOT NULL DEFAULT 0 CHECK (cancelled >= 0),
  CHECK (total = available + running + completed + failed + cancelled)
) STRICT;

-- Jobs by state, kept by triggers, so that a status answer never counts a million rows.
CREATE TABLE state_count (
  only      INTEGER PRIMARY KEY CHECK (only = 1),
  queued    INTEGER NOT NULL DEFAULT 0 CHECK (queued >= 0),
  running   INTEGER NOT NULL DEFAULT 0 CHECK (running >= 0),
  completed INTEGER NOT NULL DEFAULT 0 CHECK (completed >= 0),
  failed    INTEGER NOT NULL DEFAULT 0 CHECK (failed >= 0),
  cancelled INTEGER NOT NULL DEFAULT 0 CHECK (cancelled >= 0)
) STRICT;
INSERT INTO state_count (only) VALUES (1);

-- Outlives the job it made: no foreign key.
CREATE TABLE idempotency (
  key          TEXT PRIMARY KEY,
  content_hash TEXT    NOT NULL,
  job_id       TEXT    NOT NULL,
  created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE job_dependency (
  job_seq    INTEGER NOT NULL REFERENCES job (seq) ON DELETE CASCADE,
  depends_on TEXT    NOT NULL,                                   -- a job id; that job may be pruned
  alias      TEXT    NOT NULL,                                   -- its name in placeholders
  condition  TEXT    NOT NULL CHECK (condition IN ('completed', 'ended')),
  state      TEXT    CHECK (state IN ('completed', 'failed', 'cancelled')), -- how it ended
  done_at    INTEGER,
  PRIMARY KEY (job_seq, depends_on)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_dependency_open ON job_dependency (depends_on) WHERE done_at IS NULL;

CREATE TABLE schedule_run (
  schedule_id TEXT    NOT NULL REFERENCES schedule (id) ON DELETE CASCADE,
  due_at      INTEGER NOT NULL,
  outcome     TEXT    NOT NULL CHECK (outcome = 'submitted' OR outcome = 'missed' OR outcome = 'overlapped' OR outcome = 'refused'),
  job_id      TEXT,
  error       TEXT,
  event_id    INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (schedule_id, due_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX schedule_run_news ON schedule_run (event_id) WHERE outcome <> 'submitted';

-- Units still to be added to a job: what a submit or add_units gave, fed in bounded transactions.
CREATE TABLE job_source (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  job_seq    INTEGER NOT NULL REFERENCES job (seq) ON DELETE CASCADE,
  kind       TEXT    NOT NULL CHECK (kind IN ('list', 'range', 'spool')),
  spec       TEXT    NOT NULL,                                   -- JSON: the items, the range, or the spool file
  total      INTEGER NOT NULL CHECK (total >= 0),                -- items it has
  cursor     INTEGER NOT NULL DEFAULT 0,                         -- list, range: items taken; spool: bytes read
  added      INTEGER NOT NULL DEFAULT 0,
  skipped    INTEGER NOT NULL DEFAULT 0,                         -- their key was there already
  done_at    INTEGER
) STRICT;
CREATE INDEX job_source_open ON job_source (seq) WHERE done_at IS NULL;
CREATE INDEX job_source_of_job ON job_source (job_seq);

-- Awake time of jobs with a total timeout.
CREATE TABLE job_clock (
  job_seq    INTEGER PRIMARY KEY REFERENCES job (seq) ON DELETE CASCADE,
  elapsed_ms INTEGER NOT NULL
) STRICT;

-- How long the same work took before; outlives its jobs.
CREATE TABLE duration (
  work_hash  TEXT PRIMARY KEY,
  samples_ms TEXT    NOT NULL,                                   -- JSON array, newest last
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What retention has deleted, for people.
CREATE TABLE pruning (
  seq   INTEGER PRIMARY KEY,
  at    INTEGER NOT NULL,
  jobs  INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  rule  TEXT    NOT NULL CHECK (rule IN ('age', 'count', 'bytes'))
) STRICT;

-- A worker's lease covers every unit it holds.
CREATE TABLE worker (
  id               TEXT PRIMARY KEY,
  kind             TEXT    NOT NULL CHECK (kind IN ('command', 'gpu', 'inline', 'thread')),
  name             TEXT    NOT NULL,
  pid              INTEGER NOT NULL,
  slots            INTEGER NOT NULL CHECK (slots > 0),
  started_at       INTEGER NOT NULL,
  heartbeat_at     INTEGER NOT NULL,
  lease_expires_at INTEGER NOT NULL,
  stopped_at       INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE unit (
  seq          INTEGER PRIMARY KEY,
  id           TEXT    NOT NULL UNIQUE,
  job_seq      INTEGER NOT NULL REFERENCES job (seq) ON DELETE CASCADE,
  position     INTEGER NOT NULL CHECK (position >= 0),
  key          TEXT,                                             -- for units that must not appear twice in a job
  limit_key    TEXT,                                             -- units with the same one share limits
  final_step   INTEGER NOT NULL DEFAULT 0 CHECK (final_step IN (0, 1)), -- the one that runs when all others ended
  state        TEXT    NOT NULL DEFAULT 'available'
               CHECK (state = 'available' OR state = 'running' OR state = 'completed' OR state = 'failed' OR state = 'cancelled'),
  available_at INTEGER NOT NULL,                                 -- in the future: scheduled or backing off
  attempt      INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),  -- only ever grows
  nonce        TEXT,                                             -- with the attempt number: the fence
  failures     INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0), -- what max_attempts is compared with
  crashes      INTEGER NOT NULL DEFAULT 0 CHECK (crashes >= 0),  -- what the poison limit is compared with
  leased_by    TEXT    REFERENCES worker (id),
  finished_at  INTEGER,
  UNIQUE (job_seq, position),
  CHECK ((state = 'running') = (leased_by IS NOT NULL)),
  CHECK ((state = 'running') = (nonce IS NOT NULL)),
  CHECK (failures + crashes <= attempt),
  CHECK ((finished_at IS NULL) = (state IN ('available', 'running')))
) STRICT;

CREATE UNIQUE INDEX unit_key ON unit (job_seq, key) WHERE key IS NOT NULL;
CREATE INDEX unit_available ON unit (job_seq, limit_key, available_at, position) WHERE state = 'available';
CREATE INDEX unit_leased_by ON unit (leased_by) WHERE state = 'running';
CREATE INDEX unit_failed ON unit (job_seq, position) WHERE state = 'failed';

CREATE TABLE unit_payload (
  unit_seq         INTEGER PRIMARY KEY REFERENCES unit (seq) ON DELETE CASCADE,
  input            TEXT NOT NULL,
  output           TEXT,
  checkpoint       TEXT,
  output_pruned_at INTEGER                                       -- retention: the output was dropped then
) STRICT;

-- The last stored progress; of another attempt than the unit's own it means nothing.
CREATE TABLE unit_progress (
  unit_seq   INTEGER PRIMARY KEY REFERENCES unit (seq) ON DELETE CASCADE,
  attempt    INTEGER NOT NULL,
  current    REAL    NOT NULL,
  total      REAL,
  message    TEXT,
  stage      TEXT,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE attempt (
  unit_seq          INTEGER NOT NULL REFERENCES unit (seq) ON DELETE CASCADE,
  attempt           INTEGER NOT NULL CHECK (attempt > 0),
  nonce             TEXT    NOT NULL,
  worker_id         TEXT    NOT NULL,                            -- history: workers are pruned
  executor          TEXT    NOT NULL CHECK (executor = 'command' OR executor = 'inline' OR executor = 'thread' OR executor = 'gpu'),
  mode              TEXT    NOT NULL,
  outcome           TEXT    NOT NULL DEFAULT 'running'
                    CHECK (outcome = 'running' OR outcome = 'completed' OR outcome = 'failed' OR outcome = 'timed_out' OR outcome = 'lost' OR outcome = 'released' OR outcome = 'rate_limited' OR outcome = 'cancelled'),
  exit_code         INTEGER,
  error             TEXT,
  started_at        INTEGER NOT NULL,
  finished_at       INTEGER,
  elapsed_ms        INTEGER NOT NULL DEFAULT 0,                  -- awake monotonic time
  output_bytes      INTEGER NOT NULL DEFAULT 0,
  dropped_bytes     INTEGER NOT NULL DEFAULT 0,
  runner_pid        INTEGER,
  runner_start_time TEXT,
  runner_boot_id    TEXT,
  remote_worker     TEXT,
  remote_id         TEXT,
  device            TEXT,
  fallback_reason   TEXT,
  PRIMARY KEY (unit_seq, attempt),
  CHECK ((finished_at IS NULL) = (outcome = 'running')),
  CHECK ((runner_pid IS NULL) = (runner_boot_id IS NULL) AND (runner_pid IS NULL) = (runner_start_time IS NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX attempt_running ON attempt (unit_seq) WHERE outcome = 'running';

CREATE TABLE event (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,                  -- never reused: the cursor of the event stream
  type       TEXT    NOT NULL,
  job_id     TEXT    NOT NULL,
  unit_id    TEXT,
  data       TEXT    NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX event_by_job ON event (job_id);

CREATE TABLE watermark (
  reader       TEXT PRIMARY KEY,
  acknowledged INTEGER NOT NULL DEFAULT 0,
  shown        INTEGER NOT NULL DEFAULT 0,
  CHECK (acknowledged <= shown)
) STRICT, WITHOUT ROWID;

-- Words of name, type, labels, params and error, cut and folded by search-words.ts alone, so that text and query are
-- cut alike: every character beyond ASCII is part of a word for this tokenizer. Words only, no positions.
CREATE VIRTUAL TABLE job_search USING fts5 (
  words, content = '', contentless_delete = 1, detail = 'none', tokenize = 'ascii'
);

-- A job as it is read: the hot row with its counts and labels.
CREATE VIEW job_snapshot AS
SELECT job.seq, job.id, job.queue, job.type, job.name, job.state, job.priority, job.run_at, job.concurrency,
       job.max_attempts, job.rerun_of, job.submitted_by, job.paused_at, job.frozen_at, job.held_at,
       job.hold_kind, job.decision, job.sealed_at, job.keep_open, job.test_units, job.key_limits, job.open_dependencies,
       job.failure_budget, job.failure_budget_percent, job.stop_early, job.final_step_state, job.schedule_id,
       job.cancel_requested_at, job.cancel_reason, job.error, job.created_at, job.started_at, job.finished_at,
       job.settled_event,
       job_count.total AS count_total, job_count.available AS count_available, job_count.running AS count_running,
       job_count.completed AS count_completed, job_count.failed AS count_failed, job_count.cancelled AS count_cancelled,
       (SELECT json_group_object(key, value) FROM job_label WHERE job_label.job_seq = job.seq) AS labels
FROM job JOIN job_count ON job_count.job_seq = job.seq;

CREATE VIEW unit_snapshot AS
SELECT unit.*, job.id AS job_id, unit_progress.current AS progress_current, unit_progress.total AS progress_total,
       unit_progress.message AS progress_message, unit_progress.stage AS progress_stage
FROM unit
JOIN job ON job.seq = unit.job_seq
LEFT JOIN unit_progress ON unit_progress.unit_seq = unit.seq AND unit_progress.attempt = unit.attempt;

-- Triggers keep the counters, so that no code path can forget them, and are the last line of defence for the state machine
-- (domain/transitions.ts says the same). One trigger a table: each costs a program call even where it finds nothing to do.
CREATE TRIGGER job_inserted AFTER INSERT ON job BEGIN
  SELECT RAISE(ABORT, 'a job starts queued') WHERE NEW.state <> 'queued';
  INSERT INTO job_count (job_seq) VALUES (NEW.seq);
  UPDATE state_count SET queued = queued + 1 WHERE only = 1;
END;

-- Final is final: every column but those of retention (keep_until).
CREATE TRIGGER job_updated AFTER UPDATE OF
  seq, id, queue, type, name, state, priority, run_at, concurrency, max_attempts, rerun_of, submitted_by, schedule_id,
  paused_at, frozen_at, held_at, hold_kind, decision, decided_at, decided_by, cancel_requested_at, cancel_reason, sealed_at,
  keep_open, test_units, key_limits, open_dependencies, failure_budget, failure_budget_percent, stop_early, final_step_state, error, created_at, started_at, finished_at,
  settled_event
ON job BEGIN
  SELECT CASE
    WHEN OLD.finished_at IS NOT NULL THEN RAISE(ABORT, 'job is final')
    WHEN NEW.state = 'queued' AND OLD.state <> 'queued' THEN RAISE(ABORT, 'a job is never queued again')
    WHEN NEW.finished_at IS NOT NULL
     AND EXISTS (SELECT 1 FROM job_count WHERE job_seq = NEW.seq AND available + running > 0)
      THEN RAISE(ABORT, 'a unit of the job can still move')
    WHEN NEW.finished_at IS NOT NULL AND NEW.final_step_state = 'running'
      THEN RAISE(ABORT, 'the final step of the job can still move')
  END;
  UPDATE state_count SET
    queued    = queued    + (NEW.state = 'queued')    - (OLD.state = 'queued'),
    running   = running   + (NEW.state = 'running')   - (OLD.state = 'running'),
    completed = completed + (NEW.state = 'completed') - (OLD.state = 'completed'),
    failed    = failed    + (NEW.state = 'failed')    - (OLD.state = 'failed'),
    cancelled = cancelled + (NEW.state = 'cancelled') - (OLD.state = 'cancelled')
  WHERE only = 1 AND OLD.state <> NEW.state;
END;

CREATE TRIGGER job_deleted AFTER DELETE ON job BEGIN
  UPDATE state_count SET
    queued    = queued    - (OLD.state = 'queued'),
    running   = running   - (OLD.state = 'running'),
    completed = completed - (OLD.state = 'completed'),
    failed    = failed    - (OLD.state = 'failed'),
    cancelled = cancelled - (OLD.state = 'cancelled')
  WHERE only = 1;
  DELETE FROM job_search WHERE rowid = OLD.seq;
END;

CREATE TRIGGER unit_inserted AFTER INSERT ON unit BEGIN
  SELECT CASE
    WHEN NEW.state <> 'available' THEN RAISE(ABORT, 'a unit starts available')
    WHEN EXISTS (SELECT 1 FROM job WHERE seq = NEW.job_seq AND (finished_at IS NOT NULL OR cancel_requested_at IS NOT NULL))
      THEN RAISE(ABORT, 'the job takes no more units')
  END;
  UPDATE job_count SET total = total + 1, available = available + 1 WHERE job_seq = NEW.job_seq AND NEW.final_step = 0;
END;

CREATE TRIGGER unit_updated AFTER UPDATE ON unit BEGIN
  SELECT CASE
    WHEN OLD.finished_at IS NOT NULL THEN RAISE(ABORT, 'unit is final')
    WHEN OLD.state = 'available' AND NEW.state IN ('completed', 'failed') THEN RAISE(ABORT, 'a unit must run before it ends')
    WHEN NEW.attempt <> OLD.attempt + (OLD.state = 'available' AND NEW.state = 'running')
      THEN RAISE(ABORT, 'an attempt number grows by one, at a claim')
  END;
  UPDATE job_count SET
    available = available + (NEW.state = 'available') - (OLD.state = 'available'),
    running   = running   + (NEW.state = 'running')   - (OLD.state = 'running'),
    completed = completed + (NEW.state = 'completed') - (OLD.state = 'completed'),
    failed    = failed    + (NEW.state = 'failed')    - (OLD.state = 'failed'),
    cancelled = cancelled + (NEW.state = 'cancelled') - (OLD.state = 'cancelled')
  WHERE job_seq = NEW.job_seq AND OLD.state <> NEW.state AND NEW.final_step = 0;
END;

CREATE TRIGGER attempt_updated AFTER UPDATE ON attempt BEGIN
  SELECT RAISE(ABORT, 'the attempt has ended') WHERE OLD.finished_at IS NOT NULL;
END;

CREATE TRIGGER unit_payload_updated AFTER UPDATE ON unit_payload BEGIN
  SELECT RAISE(ABORT, 'unit is final')
  WHERE (NEW.output_pruned_at IS NULL OR NEW.output IS NOT NULL OR NEW.input IS NOT OLD.input)
    AND EXISTS (SELECT 1 FROM unit WHERE seq = OLD.unit_seq AND finished_at IS NOT NULL);
END;

CREATE TRIGGER job_payload_updated AFTER UPDATE ON job_payload BEGIN
  SELECT RAISE(ABORT, 'job is final') WHERE EXISTS (SELECT 1 FROM job WHERE seq = OLD.job_seq AND finished_at IS NOT NULL);
END;
