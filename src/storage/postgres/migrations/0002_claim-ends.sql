-- Up Migration
-- When a claim ends, as a column of its own. Row-level security lets the planner use an index only for operators that are
-- leakproof: comparing times is, overlapping ranges is not. Without it every past claim of a resource was looked at.
ALTER TABLE time_claims ADD COLUMN IF NOT EXISTS ends timestamptz NOT NULL
  GENERATED ALWAYS AS (upper(during)) STORED;
CREATE INDEX IF NOT EXISTS time_claims_ends ON time_claims (_tenant, resource, ends);
