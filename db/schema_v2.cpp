// Version 2: what explains a result. Ceilings and counters, how sure an outcome is, who runs a study, what people did
// to it.
#include "db/schema_steps.h"

namespace gemwright::db {

// ALTER TABLE ends with the current columns; a constraint over several stands at the last of them. 9e999 is infinity.
const std::string_view kVersion2 = R"sql(
-- The process that was last seen running the study: it runs no more when that process or that boot is gone.
ALTER TABLE study ADD COLUMN runner_pid INTEGER CHECK (runner_pid > 0);
ALTER TABLE study ADD COLUMN runner_boot_id TEXT CHECK ((runner_boot_id IS NULL) = (runner_pid IS NULL));

-- Of a call: the fastest block and the 10th percentile.
ALTER TABLE estimate ADD COLUMN min_ns REAL CHECK (min_ns > 0 AND min_ns < 9e999);
ALTER TABLE estimate ADD COLUMN p10_ns REAL
  CHECK (p10_ns > 0 AND p10_ns < 9e999 AND (min_ns IS NULL OR p10_ns >= min_ns));

-- Ratios are speed of the best over its runner-up; the noise floor is relative. Blocks of the confirmation and those
-- excluded from it, by cause; absent in outcomes of version 1.
ALTER TABLE outcome ADD COLUMN confidence REAL
  CHECK (confidence > 0 AND confidence < 1 AND (confidence IS NULL OR best_trial_id IS NOT NULL));
ALTER TABLE outcome ADD COLUMN lead REAL
  CHECK (lead > 0 AND lead < 9e999 AND (lead IS NULL OR best_trial_id IS NOT NULL)
         AND (confidence IS NULL OR lead IS NOT NULL));
ALTER TABLE outcome ADD COLUMN lead_lo REAL CHECK (lead_lo > 0 AND (lead_lo IS NULL OR lead IS NOT NULL));
ALTER TABLE outcome ADD COLUMN lead_hi REAL
  CHECK ((lead_hi IS NULL) = (lead_lo IS NULL) AND (lead_hi IS NULL OR (lead_hi >= lead_lo AND lead_hi < 9e999)));
ALTER TABLE outcome ADD COLUMN noise_floor REAL CHECK (noise_floor >= 0 AND noise_floor < 9e999);
ALTER TABLE outcome ADD COLUMN blocks INTEGER CHECK (blocks >= 0);
ALTER TABLE outcome ADD COLUMN blocks_steal INTEGER CHECK (blocks_steal >= 0);
ALTER TABLE outcome ADD COLUMN blocks_context_switch INTEGER CHECK (blocks_context_switch >= 0);
ALTER TABLE outcome ADD COLUMN blocks_migration INTEGER
  CHECK (blocks_migration >= 0 AND blocks_steal + blocks_context_switch + blocks_migration <= blocks)
  CHECK ((blocks IS NULL) = (blocks_migration IS NULL) AND (blocks_steal IS NULL) = (blocks_migration IS NULL)
         AND (blocks_context_switch IS NULL) = (blocks_migration IS NULL));

-- What the machine can do at best, several times where a study was resumed.
CREATE TABLE ceiling (
  id INTEGER PRIMARY KEY,
  study_id INTEGER NOT NULL REFERENCES study ON DELETE CASCADE,
  name TEXT NOT NULL CHECK (name <> ''),
  threads INTEGER NOT NULL CHECK (threads > 0),
  unit TEXT NOT NULL CHECK (unit <> ''),
  value REAL CHECK (value > 0 AND value < 9e999),
  reason TEXT CHECK (reason <> ''),
  spread REAL NOT NULL CHECK (spread >= 0 AND spread < 9e999),
  anchor_ns REAL CHECK (anchor_ns > 0 AND anchor_ns < 9e999),
  measured_at INTEGER NOT NULL,
  CHECK ((value IS NULL) = (reason IS NOT NULL))) STRICT;
CREATE INDEX ceiling_study ON ceiling (study_id);

CREATE TABLE counter_def (
  id INTEGER PRIMARY KEY,
  provider TEXT NOT NULL CHECK (provider IN ('perf', 'software', 'rusage', 'steal', 'callgrind', 'traffic', 'cupti',
                                             'nvml')),
  name TEXT NOT NULL CHECK (name <> ''),
  unit TEXT NOT NULL CHECK (unit <> ''),
  UNIQUE (provider, name, unit)) STRICT;

-- A figure is there exactly when something was counted: a missing one is never 0. `reason` says why there is none, or
-- what to know about the one there is.
CREATE TABLE counter (
  study_id INTEGER NOT NULL,
  subject_id INTEGER NOT NULL,
  place INTEGER NOT NULL CHECK (place >= 0),
  counter_def_id INTEGER NOT NULL REFERENCES counter_def,
  status TEXT NOT NULL CHECK (status IN ('counted', 'scaled', 'simulated', 'computed', 'unsupported', 'denied',
                                         'not_counted', 'failed')),
  value REAL CHECK (value >= 0 AND value < 9e999),
  calls INTEGER NOT NULL CHECK (calls > 0),
  reason TEXT NOT NULL CHECK (value IS NOT NULL OR reason <> ''),
  CHECK ((value IS NOT NULL) = (status IN ('counted', 'scaled', 'simulated', 'computed'))),
  PRIMARY KEY (subject_id, place),
  UNIQUE (subject_id, counter_def_id),
  FOREIGN KEY (subject_id, study_id) REFERENCES subject (id, study_id) ON DELETE CASCADE) STRICT, WITHOUT ROWID;
CREATE INDEX counter_study ON counter (study_id);
CREATE INDEX counter_counter_def ON counter (counter_def_id);

-- Version 1 never wrote an event.
DROP TABLE event;
CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  study_id INTEGER NOT NULL REFERENCES study ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('pause', 'resume', 'stop', 'again', 'pin', 'veto', 'extend')),
  argument TEXT NOT NULL CHECK (length(CAST(argument AS BLOB)) <= 4096),
  created_at INTEGER NOT NULL,
  applied_round INTEGER CHECK (applied_round >= 0),
  CHECK ((argument = '') = (kind IN ('pause', 'resume', 'stop')))) STRICT;
CREATE INDEX event_study ON event (study_id, id);

-- The confirmed winner of each study that has one; certified where it has a confidence.
DROP VIEW best;
CREATE VIEW best AS
  SELECT s.id AS study_id, s.name, p.key AS problem, s.m, d.fingerprint AS device, d.threads, b.compiler,
         t.id AS trial_id, c.key AS config, e.ns_per_call, e.gflops, e.ratio, e.ratio_lo, e.ratio_hi, t.error_fro,
         o.verdict, e.min_ns, e.p10_ns, o.confidence, o.lead, o.lead_lo, o.lead_hi, o.noise_floor
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
