-- Up Migration
-- One row for each claim of a resource; the exclusion constraint means that no two of them overlap.
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE TABLE IF NOT EXISTS time_claims (
  _tenant text COLLATE "C" NOT NULL,
  resource text COLLATE "C" NOT NULL,
  booking text COLLATE "C" NOT NULL,
  during tstzrange NOT NULL CHECK (NOT isempty(during)),
  EXCLUDE USING gist (_tenant WITH =, resource WITH =, during WITH &&)
);
