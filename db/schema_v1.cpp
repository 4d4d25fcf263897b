// Version 1: the words of a study and what was measured. Released: never edited.
#include "db/schema_steps.h"

namespace gemwright::db {

const std::string_view kVersion1 = R"sql(
CREATE TABLE schema_migration (
  version INTEGER PRIMARY KEY CHECK (version > 0),
  digest TEXT NOT NULL CHECK (digest <> ''),
  applied_at INTEGER NOT NULL) STRICT;

CREATE TABLE device (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind <> ''),
  fingerprint TEXT NOT NULL CHECK (fingerprint <> ''),
  threads INTEGER NOT NULL CHECK (threads > 0),
  name TEXT NOT NULL,
  properties_json TEXT NOT NULL CHECK (json_valid(properties_json)),
  UNIQUE (kind, fingerprint, threads)) STRICT;

CREATE TABLE build (
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE CHECK (digest <> ''),
  tool_version TEXT NOT NULL,
  compiler TEXT NOT NULL,
  compiler_version TEXT NOT NULL,
  flags TEXT NOT NULL,
  source_digest TEXT NOT NULL) STRICT;

-- `key` is the whole truth; the other columns are copies of its parts for SQL users.
CREATE TABLE problem (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE CHECK (key <> ''),
  interface TEXT NOT NULL CHECK (interface IN ('f32', 'bf16', 'u8s8')),
  n INTEGER NOT NULL CHECK (n > 0),
  k INTEGER NOT NULL CHECK (k > 0),
  batch INTEGER NOT NULL CHECK (batch > 0),
  a_layout TEXT NOT NULL CHECK (a_layout IN ('row_major', 'col_major')),
  b_layout TEXT NOT NULL CHECK (b_layout IN ('row_major', 'col_major')),
  constant_weights INTEGER NOT NULL CHECK (constant_weights IN (0, 1)),
  beta INTEGER NOT NULL CHECK (beta IN (0, 1)),
  epilogue TEXT NOT NULL CHECK (epilogue <> '')) STRICT;

CREATE TABLE study (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL CHECK (key <> ''),
  generation INTEGER NOT NULL CHECK (generation >= 0),
  problem_id INTEGER NOT NULL REFERENCES problem,
  m INTEGER NOT NULL CHECK (m > 0),
  device_id INTEGER NOT NULL REFERENCES device,
  build_id INTEGER NOT NULL REFERENCES build,
  space_version INTEGER NOT NULL CHECK (space_version > 0),
  modes TEXT NOT NULL CHECK (modes <> ''),                          -- separated by commas
  max_error REAL CHECK (max_error > 0 AND max_error < 9e999),       -- 9e999 is infinity
  data TEXT NOT NULL CHECK (data IN ('normal', 'uniform', 'outliers')),
  cache TEXT NOT NULL CHECK (cache IN ('hot', 'rotate', 'cold')),
  cache_bytes REAL NOT NULL CHECK (cache_bytes >= 0 AND cache_bytes < 9e999),
  batch_invariant INTEGER NOT NULL CHECK (batch_invariant IN (0, 1)),
  name TEXT NOT NULL,
  suite TEXT NOT NULL,
  weight REAL NOT NULL CHECK (weight > 0 AND weight < 9e999),
  budget_seconds REAL CHECK (budget_seconds > 0 AND budget_seconds < 9e999),
  budget_trials INTEGER CHECK (budget_trials > 0),
  protocol TEXT NOT NULL,
  strategy TEXT NOT NULL,
  seed INTEGER NOT NULL,                                            -- the 64 bits of an unsigned number
  state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'interrupted', 'failed')),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL CHECK (updated_at >= created_at),
  spent_seconds REAL NOT NULL DEFAULT 0 CHECK (spent_seconds >= 0 AND spent_seconds < 9e999),
  baseline TEXT CHECK (baseline <> ''),
  baseline_reason TEXT CHECK (baseline_reason <> ''),
  CHECK (baseline IS NULL OR baseline_reason IS NULL),
  UNIQUE (key, generation)) STRICT;
CREATE INDEX study_problem ON study (problem_id, device_id);
CREATE INDEX study_device ON study (device_id);
CREATE INDEX study_build ON study (build_id);

CREATE TABLE config (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE CHECK (key <> ''),
  mode TEXT NOT NULL CHECK (mode <> ''),
  json TEXT NOT NULL CHECK (json_valid(json))) STRICT;

-- A copy of the config's JSON, one value a row ("tile.mr"), for SQL users and plots.
CREATE TABLE config_param (
  config_id INTEGER NOT NULL REFERENCES config ON DELETE CASCADE,
  name TEXT NOT NULL CHECK (name <> ''),
  num REAL,
  txt TEXT NOT NULL,
  PRIMARY KEY (config_id, name)) STRICT, WITHOUT ROWID;

CREATE TABLE trial (
  id INTEGER PRIMARY KEY,
  study_id INTEGER NOT NULL REFERENCES study ON DELETE CASCADE,
  seq INTEGER NOT NULL CHECK (seq >= 0),
  config_id INTEGER NOT NULL REFERENCES config,
  origin TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'ok', 'pruned', 'constraint', 'compile', 'runtime', 'timeout',
                                       'correctness', 'crashed', 'cancelled')),
  reason TEXT NOT NULL DEFAULT '',
  error_fro REAL CHECK (error_fro >= 0 AND error_fro < 9e999),
  error_max REAL CHECK (error_max >= 0 AND error_max < 9e999),
  compile_ns INTEGER CHECK (compile_ns >= 0),
  verify_ns INTEGER CHECK (verify_ns >= 0),
  started_at INTEGER NOT NULL,
  ended_at INTEGER CHECK (ended_at >= started_at),
  CHECK ((state = 'running') = (ended_at IS NULL)),
  UNIQUE (study_id, seq),
  UNIQUE (study_id, config_id),
  UNIQUE (id, study_id)) STRICT;
CREATE INDEX trial_config ON trial (config_id);

CREATE TABLE subject (
  id INTEGER PRIMARY KEY,
  study_id INTEGER NOT NULL REFERENCES study ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('trial', 'baseline', 'anchor')),
  trial_id INTEGER,
  name TEXT NOT NULL,
  CHECK ((kind = 'trial') = (trial_id IS NOT NULL)),
  CHECK (kind = 'trial' OR name <> ''),
  FOREIGN KEY (trial_id, study_id) REFERENCES trial (id, study_id) ON DELETE CASCADE,
  UNIQUE (id, study_id)) STRICT;
CREATE UNIQUE INDEX subject_trial ON subject (trial_id, study_id) WHERE trial_id IS NOT NULL;
CREATE UNIQUE INDEX subject_name ON subject (study_id, kind, name) WHERE trial_id IS NULL;

CREATE TABLE sample (
  study_id INTEGER NOT NULL,
  round INTEGER NOT NULL CHECK (round >= 0),
  position INTEGER NOT NULL CHECK (position >= 0),
  subject_id INTEGER NOT NULL,
  phase TEXT NOT NULL CHECK (phase IN ('screen', 'race', 'confirm')),
  calls INTEGER NOT NULL CHECK (calls > 0),
  ns INTEGER NOT NULL CHECK (ns >= 0),
  cpu INTEGER CHECK (cpu >= 0),
  involuntary_switches INTEGER CHECK (involuntary_switches >= 0),
  steal_ticks INTEGER CHECK (steal_ticks >= 0),
  migrated INTEGER NOT NULL CHECK (migrated IN (0, 1)),
  PRIMARY KEY (study_id, round, position, subject_id),
  FOREIGN KEY (subject_id, study_id) REFERENCES subject (id, study_id) ON DELETE CASCADE) STRICT, WITHOUT ROWID;

CREATE TABLE estimate (
  study_id INTEGER NOT NULL,
  subject_id INTEGER NOT NULL,
  phase TEXT NOT NULL CHECK (phase IN ('screen', 'race', 'confirm')),
  method TEXT NOT NULL CHECK (method <> ''),
  samples INTEGER NOT NULL CHECK (samples > 0),
  excluded INTEGER NOT NULL CHECK (excluded >= 0),
  ns_per_call REAL NOT NULL CHECK (ns_per_call > 0 AND ns_per_call < 9e999),
  gflops REAL CHECK (gflops > 0 AND gflops < 9e999),                -- absent for the anchor loop
  ratio REAL CHECK (ratio > 0 AND ratio < 9e999),
  ratio_lo REAL CHECK (ratio_lo > 0),
  ratio_hi REAL CHECK (ratio_hi >= ratio_lo AND ratio_hi < 9e999),
  CHECK ((ratio_lo IS NULL) = (ratio_hi IS NULL)),
  CHECK (ratio IS NOT NULL OR ratio_lo IS NULL),
  PRIMARY KEY (subject_id, phase),
  FOREIGN KEY (subject_id, study_id) REFERENCES subject (id, study_id) ON DELETE CASCADE) STRICT, WITHOUT ROWID;
CREATE INDEX estimate_study ON estimate (study_id);

CREATE TABLE outcome (
  study_id INTEGER PRIMARY KEY REFERENCES study ON DELETE CASCADE,
  best_trial_id INTEGER,
  verdict TEXT NOT NULL,
  FOREIGN KEY (best_trial_id, study_id) REFERENCES trial (id, study_id)) STRICT;
CREATE INDEX outcome_trial ON outcome (best_trial_id, study_id);

CREATE TABLE tie (
  study_id INTEGER NOT NULL REFERENCES outcome ON DELETE CASCADE,
  place INTEGER NOT NULL CHECK (place >= 0),
  trial_id INTEGER NOT NULL,
  PRIMARY KEY (study_id, place),
  UNIQUE (trial_id, study_id),
  FOREIGN KEY (trial_id, study_id) REFERENCES trial (id, study_id)) STRICT, WITHOUT ROWID;

CREATE TABLE export (
  id INTEGER PRIMARY KEY,
  created_at INTEGER NOT NULL,
  path TEXT NOT NULL CHECK (path <> ''),
  sha TEXT NOT NULL CHECK (sha <> '')) STRICT;

CREATE TABLE export_item (
  export_id INTEGER NOT NULL REFERENCES export ON DELETE CASCADE,
  trial_id INTEGER NOT NULL REFERENCES trial,
  PRIMARY KEY (export_id, trial_id)) STRICT, WITHOUT ROWID;
CREATE INDEX export_item_trial ON export_item (trial_id);

-- What a person or the machine did to a study. Written by any process; the one that runs the study stamps the round at which
-- the event took effect.
CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  study_id INTEGER NOT NULL REFERENCES study ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind <> ''),
  payload TEXT NOT NULL CHECK (json_valid(payload)),
  created_at INTEGER NOT NULL,
  applied_round INTEGER CHECK (applied_round >= 0)) STRICT;
CREATE INDEX event_study ON event (study_id, id);

-- The confirmed winner of each study that has one.
CREATE VIEW best AS
  SELECT s.id AS study_id, s.name, p.key AS problem, s.m, d.fingerprint AS device, d.threads, b.compiler, t.id AS trial_id,
         c.key AS config, e.ns_per_call, e.gflops, e.ratio, e.ratio_lo, e.ratio_hi, t.error_fro, o.verdict
  FROM outcome o
  JOIN study s ON s.id = o.study_id
  JOIN problem p ON p.id = s.problem_id
  JOIN device d ON d.id = s.device_id
  JOIN build b ON b.id = s.build_id
  JOIN trial t ON t.id = o.best_trial_id AND t.state = 'ok'
  JOIN config c ON c.id = t.config_id
  JOIN subject u ON u.trial_id = t.id
  JOIN estimate e ON e.subject_id = u.id AND e.phase = 'confirm';
)sql";

}  // namespace gemwright::db
