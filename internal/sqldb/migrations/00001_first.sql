-- One text for SQLite and Postgres. Money is whole cents, times are milliseconds since 1970 in UTC (…_ms; 0 or NULL: none), days are '2006-01-02', flags are 0 and 1.

-- +goose Up
CREATE TABLE locations (
  id                          TEXT PRIMARY KEY,
  name                        TEXT NOT NULL,
  state                       TEXT NOT NULL,
  zone                        TEXT NOT NULL,
  stripe_account              TEXT NOT NULL,
  payments                    TEXT NOT NULL CHECK (payments IN ('configured', 'not_configured', 'suspended')),
  tax_ppm                     BIGINT NOT NULL CHECK (tax_ppm >= 0),
  loss_protection_taxable     BIGINT NOT NULL,
  monitoring_cap_monthly      BIGINT CHECK (monitoring_cap_monthly >= 0),
  loss_protection_cap_monthly BIGINT CHECK (loss_protection_cap_monthly >= 0),
  state_fee_monthly           BIGINT NOT NULL CHECK (state_fee_monthly >= 0),
  labor_fee                   BIGINT NOT NULL CHECK (labor_fee >= 0),
  taxed_fees                  TEXT NOT NULL DEFAULT '', -- kinds of fee that are taxed here, by commas
  iid_daily                   BIGINT NOT NULL DEFAULT 0 CHECK (iid_daily >= 0), -- list prices a day, for new vehicles; a vehicle's own rate counts
  pam_daily                   BIGINT NOT NULL DEFAULT 0 CHECK (pam_daily >= 0),
  loss_protection_daily       BIGINT NOT NULL DEFAULT 0 CHECK (loss_protection_daily >= 0),
  version                     BIGINT NOT NULL DEFAULT 1 -- makes every change a compare-and-set
);

-- A location's list of fees. A fee that is no longer charged is retired, and never deleted.
CREATE TABLE fees (
  id          TEXT PRIMARY KEY,
  location_id TEXT NOT NULL REFERENCES locations (id),
  name        TEXT NOT NULL,
  kind        TEXT NOT NULL CHECK (kind IN ('service', 'equipment', 'administrative')),
  amount      BIGINT NOT NULL CHECK (amount > 0),
  retired     BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX fees_of_location ON fees (location_id);

CREATE TABLE clients (
  id            TEXT PRIMARY KEY,
  first_name    TEXT NOT NULL,
  last_name     TEXT NOT NULL,
  language      TEXT NOT NULL CHECK (language IN ('en', 'es')),
  email         TEXT NOT NULL,
  phone         TEXT NOT NULL,
  tax_exempt    BIGINT NOT NULL,
  collections   BIGINT NOT NULL,
  auto_pay_days BIGINT NOT NULL CHECK (auto_pay_days IN (0, 14, 30)),
  notes         TEXT NOT NULL,
  auto_pay_since_ms BIGINT NOT NULL DEFAULT 0 -- when Auto Pay was turned on last, also of one that was turned off since; 0: never
);
CREATE INDEX clients_phone ON clients (phone);
CREATE INDEX clients_auto_pay ON clients (auto_pay_since_ms) WHERE auto_pay_since_ms <> 0;

CREATE TABLE vehicles (
  id                       TEXT PRIMARY KEY,
  client_id                TEXT NOT NULL REFERENCES clients (id),
  location_id              TEXT NOT NULL REFERENCES locations (id),
  label                    TEXT NOT NULL,
  plate                    TEXT NOT NULL,
  plate_state              TEXT NOT NULL,
  program                  TEXT NOT NULL CHECK (program IN ('iid', 'pam')),
  daily_rate               BIGINT NOT NULL CHECK (daily_rate >= 0),
  loss_protection_daily    BIGINT NOT NULL CHECK (loss_protection_daily >= 0),
  paid_to                  TEXT NOT NULL,
  paid_by                  TEXT NOT NULL, -- payment that has moved paid_to last; '' for none of ours
  hardship_kind            TEXT NOT NULL CHECK (hardship_kind IN ('', 'client_pays', 'fund_monthly', 'fund_full')),
  hardship_percent         BIGINT NOT NULL CHECK (hardship_percent BETWEEN 0 AND 100),
  hardship_amount          BIGINT NOT NULL CHECK (hardship_amount >= 0),
  hardship_reduces_tax     BIGINT NOT NULL,
  hardship_exempts_fee     BIGINT NOT NULL
);
CREATE INDEX vehicles_client ON vehicles (client_id);
CREATE INDEX vehicles_plate ON vehicles (plate);
CREATE INDEX vehicles_location ON vehicles (location_id);

-- What a client is found by (search.go): the beginnings of the words of the name, and marked ones of the id, telephone number and plates. The key keeps those that begin alike in the order of names.
CREATE TABLE search_words (
  start     TEXT NOT NULL,
  name      TEXT NOT NULL,
  client_id TEXT NOT NULL REFERENCES clients (id),
  word      TEXT NOT NULL,
  PRIMARY KEY (start, name, client_id, word)
);
CREATE INDEX search_words_of_client ON search_words (client_id);

-- What people write about a client, and what the service notes by itself. n orders notes of one moment.
CREATE TABLE notes (
  id         TEXT PRIMARY KEY,
  client_id  TEXT NOT NULL REFERENCES clients (id),
  at_ms      BIGINT NOT NULL,
  by_kind    TEXT NOT NULL,
  by_id      TEXT NOT NULL,
  payment_id TEXT NOT NULL, -- that it tells of; '' for none
  text       TEXT NOT NULL
);
CREATE INDEX notes_of_client ON notes (client_id, at_ms);

-- Cards on file, on the platform's customer at Stripe. A card that was removed stays as a row: payments name it.
CREATE TABLE cards (
  id               TEXT PRIMARY KEY,
  client_id        TEXT NOT NULL REFERENCES clients (id),
  customer         TEXT NOT NULL,
  payment_method   TEXT NOT NULL UNIQUE,
  brand            TEXT NOT NULL,
  last4            TEXT NOT NULL,
  funding          TEXT NOT NULL,
  exp_month        BIGINT NOT NULL CHECK (exp_month BETWEEN 1 AND 12),
  exp_year         BIGINT NOT NULL,
  main             BIGINT NOT NULL,
  terms_version    TEXT NOT NULL, -- of the mandate that the client agreed to when it was added
  terms_language   TEXT NOT NULL,
  added_ms         BIGINT NOT NULL,
  removed_ms       BIGINT NOT NULL
);
CREATE INDEX cards_of_client ON cards (client_id, added_ms);
CREATE UNIQUE INDEX cards_one_main ON cards (client_id) WHERE main = 1 AND removed_ms = 0;

-- Two clients can't take one place: a location has so many bays, and each is taken once.
CREATE TABLE appointments (
  id          TEXT PRIMARY KEY,
  client_id   TEXT NOT NULL REFERENCES clients (id),
  vehicle_id  TEXT REFERENCES vehicles (id),
  location_id TEXT NOT NULL REFERENCES locations (id),
  kind        TEXT NOT NULL CHECK (kind IN ('service', 'installation', 'removal', 'vehicle_swap')),
  starts_ms   BIGINT NOT NULL,
  minutes     BIGINT NOT NULL CHECK (minutes > 0),
  bay         BIGINT NOT NULL,
  state       TEXT NOT NULL CHECK (state IN ('booked', 'cancelled', 'kept', 'missed'))
);
CREATE INDEX appointments_of_client ON appointments (client_id, starts_ms);
CREATE UNIQUE INDEX appointments_one_a_bay ON appointments (location_id, starts_ms, bay) WHERE state = 'booked';

CREATE TABLE state_fee_months (
  vehicle_id TEXT NOT NULL REFERENCES vehicles (id),
  month      TEXT NOT NULL,
  payment_id TEXT NOT NULL,
  PRIMARY KEY (vehicle_id, month)
);

CREATE TABLE payments (
  id             TEXT PRIMARY KEY,
  chain_id       TEXT NOT NULL,
  reference      TEXT NOT NULL,
  door           TEXT NOT NULL CHECK (door IN ('link', 'agent', 'client', 'autopay')),
  client_id      TEXT NOT NULL REFERENCES clients (id),
  vehicle_id     TEXT REFERENCES vehicles (id),
  location_id    TEXT NOT NULL REFERENCES locations (id),
  stripe_account TEXT NOT NULL,
  by_kind        TEXT NOT NULL,
  by_id          TEXT NOT NULL,
  form_key       TEXT NOT NULL UNIQUE,
  frozen         TEXT NOT NULL,
  frozen_sha256  TEXT NOT NULL,
  amount         BIGINT NOT NULL CHECK (amount >= 0),
  past_due       BIGINT NOT NULL CHECK (past_due >= 0),
  credit         BIGINT NOT NULL CHECK (credit >= 0),
  created_ms     BIGINT NOT NULL,
  opened_ms      BIGINT NOT NULL,
  closed_ms      BIGINT NOT NULL,
  version        BIGINT NOT NULL,
  state          TEXT NOT NULL CHECK (state IN ('open', 'paying', 'needs_action', 'unknown', 'paid', 'declined', 'expired', 'revoked', 'locked', 'superseded', 'paid_after_close', 'applied', 'refunded', 'review')),
  closing_as     TEXT NOT NULL,
  reason         TEXT NOT NULL,
  intent_id      TEXT UNIQUE,
  expires_ms     BIGINT NOT NULL,
  lease_ms       BIGINT NOT NULL,
  next_ms        BIGINT,
  attempt        BIGINT NOT NULL,
  phase          BIGINT NOT NULL,
  sends          BIGINT NOT NULL,
  declines       BIGINT NOT NULL,
  resends        BIGINT NOT NULL,
  looks          BIGINT NOT NULL,
  revoke         BIGINT NOT NULL,
  cancel_due     BIGINT NOT NULL,
  card_on_file   BIGINT NOT NULL,
  held           BIGINT NOT NULL,
  refunding      BIGINT NOT NULL CHECK (refunding IN (0, 1, 2)),
  charged        BIGINT NOT NULL CHECK (charged >= 0),
  given_back     BIGINT NOT NULL CHECK (given_back BETWEEN 0 AND charged),
  late_ms        BIGINT NOT NULL,
  -- What reports count by, beside what is above: of the quote and of the first link, as they were then.
  days           BIGINT NOT NULL DEFAULT 0,  -- of monitoring; 0 for a pending balance
  language       TEXT NOT NULL DEFAULT '',   -- of the text; '' where none was sent
  own_number     BIGINT NOT NULL DEFAULT 0,  -- the client's
  first_link     BIGINT NOT NULL DEFAULT 0,  -- the first of its chain that was sent as a link
  delivered_ms   BIGINT NOT NULL DEFAULT 0   -- when the carrier first said that a link had arrived
);
-- A payment that had closed before it came into review no longer keeps its vehicle's place.
CREATE UNIQUE INDEX payments_one_live_per_vehicle ON payments (vehicle_id)
  WHERE vehicle_id IS NOT NULL AND closed_ms = 0 AND state IN ('open', 'paying', 'needs_action', 'unknown', 'review');
CREATE UNIQUE INDEX payments_one_live_balance_per_client ON payments (client_id)
  WHERE vehicle_id IS NULL AND closed_ms = 0 AND state IN ('open', 'paying', 'needs_action', 'unknown', 'review');
CREATE INDEX payments_reserved ON payments (client_id) WHERE state IN ('open', 'paying', 'needs_action', 'unknown', 'review');
CREATE INDEX payments_due ON payments (next_ms) WHERE next_ms IS NOT NULL;
CREATE INDEX payments_late ON payments (late_ms) WHERE late_ms <> 0;
CREATE INDEX payments_for_a_person ON payments (created_ms) WHERE held = 1 OR refunding <> 0 OR state = 'review';
CREATE INDEX payments_of_vehicle ON payments (vehicle_id, created_ms);
CREATE INDEX payments_of_client ON payments (client_id, created_ms);
CREATE INDEX payments_by_reference ON payments (reference);
-- Reports read a hundred thousand links in one go, and of each only what is here: the rows themselves, with their frozen quotes, are ten times as large.
CREATE INDEX payments_reported ON payments (door, created_ms, id, by_kind, by_id, location_id, days, language, own_number, state, reason, first_link, delivered_ms, opened_ms, closed_ms, expires_ms, declines, chain_id, client_id);
CREATE INDEX payments_followed ON payments (created_ms, chain_id, state, closed_ms) WHERE id <> chain_id;

CREATE TABLE attempts (
  id             TEXT PRIMARY KEY,
  payment_id     TEXT NOT NULL REFERENCES payments (id),
  n              BIGINT NOT NULL,
  link_id        TEXT NOT NULL,
  session_id     TEXT NOT NULL,
  nonce_id       TEXT NOT NULL UNIQUE,
  payment_method TEXT NOT NULL,
  brand          TEXT NOT NULL,
  last4          TEXT NOT NULL,
  funding        TEXT NOT NULL,
  avs            TEXT NOT NULL,
  cvc            TEXT NOT NULL,
  state          TEXT NOT NULL CHECK (state IN ('trying', 'succeeded', 'declined', 'refused', 'abandoned')),
  code           TEXT NOT NULL,
  charge_id      TEXT NOT NULL,
  terms_version  TEXT NOT NULL,
  terms_language TEXT NOT NULL,
  address        TEXT NOT NULL,
  user_agent     TEXT NOT NULL,
  started_ms     BIGINT NOT NULL,
  ended_ms       BIGINT NOT NULL,
  UNIQUE (payment_id, n)
);

CREATE INDEX attempts_declined ON attempts (started_ms, payment_id, code) WHERE state = 'declined';

CREATE TABLE refunds (
  id         TEXT PRIMARY KEY,
  payment_id TEXT NOT NULL REFERENCES payments (id),
  stripe_id  TEXT UNIQUE,
  amount     BIGINT NOT NULL CHECK (amount > 0),
  state      TEXT NOT NULL CHECK (state IN ('asked', 'pending', 'succeeded', 'failed', 'refused')),
  why        TEXT NOT NULL,
  by_kind    TEXT NOT NULL,
  by_id      TEXT NOT NULL,
  code       TEXT NOT NULL,
  asked_ms   BIGINT NOT NULL,
  ended_ms   BIGINT NOT NULL,
  form_key   TEXT UNIQUE,
  cleared_ms BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX refunds_one_asked_per_payment ON refunds (payment_id) WHERE state = 'asked';
CREATE INDEX refunds_for_a_person ON refunds (asked_ms) WHERE state IN ('failed', 'refused') AND cleared_ms = 0;
CREATE INDEX refunds_of_payment ON refunds (payment_id, asked_ms);

CREATE TABLE disputes (
  id              TEXT PRIMARY KEY,
  payment_id      TEXT NOT NULL REFERENCES payments (id),
  charge_id       TEXT NOT NULL,
  amount          BIGINT NOT NULL,
  reason          TEXT NOT NULL,
  status          TEXT NOT NULL,
  evidence_by_ms  BIGINT NOT NULL,
  opened_ms       BIGINT NOT NULL,
  changed_ms      BIGINT NOT NULL,
  moved           TEXT NOT NULL,
  evidence        TEXT NOT NULL,
  evidence_sha256 TEXT NOT NULL
);
CREATE INDEX disputes_of_payment ON disputes (payment_id, opened_ms);
CREATE INDEX disputes_open ON disputes (opened_ms) WHERE status NOT IN ('won', 'lost', 'warning_closed', 'prevented');
CREATE INDEX disputes_by_time ON disputes (opened_ms);

CREATE TABLE links (
  id         TEXT PRIMARY KEY,
  payment_id TEXT NOT NULL REFERENCES payments (id),
  digest     TEXT NOT NULL UNIQUE,
  state      TEXT NOT NULL CHECK (state IN ('live', 'replaced', 'dead')),
  phone_box  TEXT NOT NULL,
  last4      TEXT NOT NULL,
  own_number BIGINT NOT NULL,
  language   TEXT NOT NULL,
  sent_by    TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  opened_ms  BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX links_one_live_per_payment ON links (payment_id) WHERE state = 'live';
CREATE INDEX links_of_payment ON links (payment_id, created_ms);
CREATE INDEX links_sent ON links (created_ms);

-- A text carries a link, or belongs to its payment (of a declined Auto Pay), or to none (a code).
CREATE TABLE messages (
  id         TEXT PRIMARY KEY,
  kind       TEXT NOT NULL CHECK (kind IN ('link', 'receipt', 'decline', 'code')),
  payment_id TEXT REFERENCES payments (id) CHECK (payment_id IS NOT NULL OR kind = 'code'),
  link_id    TEXT REFERENCES links (id) CHECK (link_id IS NOT NULL OR kind IN ('decline', 'code')),
  language   TEXT NOT NULL,
  box        TEXT NOT NULL,
  phone_box  TEXT NOT NULL,
  status     TEXT NOT NULL,
  rank       BIGINT NOT NULL,
  tries      BIGINT NOT NULL,
  sid        TEXT NOT NULL,
  error_code BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  handed_ms  BIGINT NOT NULL,
  sent_ms    BIGINT NOT NULL,
  ended_ms   BIGINT NOT NULL,
  next_ms    BIGINT,
  UNIQUE (link_id, kind)
);
CREATE INDEX messages_due ON messages (next_ms) WHERE next_ms IS NOT NULL;
CREATE INDEX messages_of_payment ON messages (payment_id, created_ms);
CREATE UNIQUE INDEX messages_linkless ON messages (payment_id, kind) WHERE link_id IS NULL AND payment_id IS NOT NULL;

-- Whom an agent could send nothing, and why. Asked again on the same day for the same reason, it counts once.
CREATE TABLE blocked (
  day         TEXT NOT NULL, -- at the location
  by_id       TEXT NOT NULL,
  vehicle_id  TEXT NOT NULL REFERENCES vehicles (id),
  why         TEXT NOT NULL,
  client_id   TEXT NOT NULL REFERENCES clients (id),
  location_id TEXT NOT NULL REFERENCES locations (id),
  at_ms       BIGINT NOT NULL,
  PRIMARY KEY (vehicle_id, day, by_id, why)
);
CREATE INDEX blocked_at ON blocked (at_ms);

CREATE TABLE opt_outs (
  phone TEXT PRIMARY KEY,
  at_ms BIGINT NOT NULL
);

CREATE TABLE stripe_events (
  id          TEXT PRIMARY KEY,
  account     TEXT NOT NULL,
  type        TEXT NOT NULL,
  intent_id   TEXT NOT NULL,
  at_ms       BIGINT NOT NULL,
  received_ms BIGINT NOT NULL
);

CREATE TABLE invoices (
  id           TEXT PRIMARY KEY,
  number       TEXT NOT NULL,
  client_id    TEXT NOT NULL REFERENCES clients (id),
  vehicle_id   TEXT REFERENCES vehicles (id),
  payment_id   TEXT NOT NULL,
  door         TEXT NOT NULL,
  issued_ms    BIGINT NOT NULL,
  subtotal     BIGINT NOT NULL,
  tax          BIGINT NOT NULL,
  total        BIGINT NOT NULL CHECK (total = subtotal + tax),
  paid_to_from TEXT NOT NULL,
  paid_to      TEXT NOT NULL,
  location_id  TEXT NOT NULL DEFAULT '',
  location     TEXT NOT NULL DEFAULT '', -- names and rate as they were then
  zone         TEXT NOT NULL DEFAULT '',
  vehicle      TEXT NOT NULL DEFAULT '',
  tax_ppm      BIGINT NOT NULL DEFAULT 0,
  form_key     TEXT UNIQUE -- of the form that added it: a second click adds nothing
);
CREATE INDEX invoices_of_payment ON invoices (payment_id);
CREATE INDEX invoices_of_client ON invoices (client_id, issued_ms);

CREATE TABLE invoice_lines (
  invoice_id TEXT NOT NULL REFERENCES invoices (id),
  n          BIGINT NOT NULL,
  kind       TEXT NOT NULL,
  label      TEXT NOT NULL DEFAULT '', -- a fee's name, as it was then
  days       BIGINT NOT NULL,
  count      BIGINT NOT NULL DEFAULT 0, -- how many times a fee was charged
  amount     BIGINT NOT NULL,
  PRIMARY KEY (invoice_id, n)
);

CREATE TABLE entries (
  id             TEXT PRIMARY KEY,
  client_id      TEXT REFERENCES clients (id), -- NULL: no client's, such as Stripe's fees and payouts
  payment_id     TEXT NOT NULL,
  stripe_account TEXT NOT NULL,
  cause          TEXT NOT NULL UNIQUE,
  at_ms          BIGINT NOT NULL
);
CREATE INDEX entries_of_client ON entries (client_id, at_ms);
CREATE INDEX entries_of_stripe ON entries (stripe_account, at_ms);

CREATE TABLE postings (
  entry_id  TEXT NOT NULL REFERENCES entries (id) DEFERRABLE INITIALLY DEFERRED,
  n         BIGINT NOT NULL,
  client_id TEXT,
  account   TEXT NOT NULL,
  amount    BIGINT NOT NULL CHECK (amount <> 0),
  PRIMARY KEY (entry_id, n)
);
CREATE INDEX postings_of_client ON postings (client_id, account);

-- One row a day (UTC): who reconciles it, and how it came out. started_ms is the claim: one that is old and has not ended was cut off.
CREATE TABLE reconciliations (
  day         TEXT PRIMARY KEY,
  started_ms  BIGINT NOT NULL,
  ended_ms    BIGINT NOT NULL,
  differences BIGINT NOT NULL,
  report      TEXT NOT NULL
);

CREATE TABLE terms (
  version  TEXT NOT NULL,
  language TEXT NOT NULL,
  text     TEXT NOT NULL,
  sha256   TEXT NOT NULL,
  PRIMARY KEY (version, language)
);

-- Which version is in force: the last one that was published.
CREATE TABLE terms_in_force (
  n       BIGINT PRIMARY KEY,
  version TEXT NOT NULL UNIQUE,
  from_ms BIGINT NOT NULL,
  by_id   TEXT NOT NULL -- staff id; '' for the service's own first version
);

CREATE TABLE staff (
  id            TEXT PRIMARY KEY,
  login         TEXT NOT NULL UNIQUE,
  name          TEXT NOT NULL,
  team          TEXT NOT NULL,
  role          TEXT NOT NULL CHECK (role IN ('agent', 'lead', 'supervisor', 'finance', 'admin', 'auditor')),
  phone         TEXT NOT NULL DEFAULT '',
  email         TEXT NOT NULL DEFAULT '',
  teams         TEXT NOT NULL DEFAULT '', -- that a supervisor sees, by commas; '': all
  locations     TEXT NOT NULL DEFAULT '', -- that a lead or supervisor sees, by commas; '': all
  password_hash TEXT NOT NULL,
  must_change   BIGINT NOT NULL DEFAULT 0, -- the password is a temporary one
  password_ms   BIGINT NOT NULL DEFAULT 0, -- when it was set
  disabled      BIGINT NOT NULL,
  wrong         BIGINT NOT NULL,
  locked_ms     BIGINT NOT NULL,
  since_ms      BIGINT NOT NULL DEFAULT 0, -- sessions that began before are over
  version       BIGINT NOT NULL DEFAULT 1 -- makes every change by an administrator a compare-and-set
);
CREATE UNIQUE INDEX staff_email ON staff (email) WHERE email <> '';

-- How the people of a kind ('staff', later 'client') prove who they are, besides by password. Secrets are sealed.
CREATE TABLE totp (
  owner_kind TEXT NOT NULL,
  owner_id   TEXT NOT NULL,
  box        TEXT NOT NULL,
  last_step  BIGINT NOT NULL, -- a code is good once
  since_ms   BIGINT NOT NULL,
  PRIMARY KEY (owner_kind, owner_id)
);
CREATE TABLE recovery_codes (
  owner_kind TEXT NOT NULL,
  owner_id   TEXT NOT NULL,
  digest     TEXT NOT NULL,
  used_ms    BIGINT NOT NULL,
  PRIMARY KEY (owner_kind, owner_id, digest)
);
CREATE TABLE passkeys (
  id         TEXT PRIMARY KEY, -- the credential's own, base64url
  owner_kind TEXT NOT NULL,
  owner_id   TEXT NOT NULL,
  name       TEXT NOT NULL,
  credential TEXT NOT NULL, -- public key and counters, JSON
  added_ms   BIGINT NOT NULL,
  used_ms    BIGINT NOT NULL
);
CREATE INDEX passkeys_of_owner ON passkeys (owner_kind, owner_id);
CREATE TABLE sign_on (
  issuer   TEXT NOT NULL,
  subject  TEXT NOT NULL,
  staff_id TEXT NOT NULL REFERENCES staff (id),
  PRIMARY KEY (issuer, subject)
);
CREATE UNIQUE INDEX sign_on_one_each ON sign_on (staff_id, issuer); -- who has the address of somebody who left must not become them

CREATE TABLE sessions (
  token      TEXT PRIMARY KEY,
  data       TEXT NOT NULL,
  expires_ms BIGINT NOT NULL
);

CREATE TABLE trail (
  id         TEXT PRIMARY KEY,
  at_ms      BIGINT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id   TEXT NOT NULL,
  act        TEXT NOT NULL,
  object     TEXT NOT NULL,
  client_id  TEXT NOT NULL,
  refused    TEXT NOT NULL,
  detail     TEXT NOT NULL,
  n          BIGINT NOT NULL CHECK (n > 0),
  hash       TEXT NOT NULL,
  UNIQUE (client_id, n)
);
CREATE INDEX trail_of_object ON trail (object, at_ms);
CREATE INDEX trail_of_client ON trail (client_id, at_ms);
CREATE INDEX trail_of_actor ON trail (actor_id, at_ms);
CREATE INDEX trail_of_act ON trail (act, at_ms);
CREATE INDEX trail_by_time ON trail (at_ms);
CREATE INDEX trail_refused ON trail (at_ms) WHERE refused <> '';

CREATE TABLE trail_heads (
  client_id TEXT PRIMARY KEY,
  n         BIGINT NOT NULL,
  hash      TEXT NOT NULL
);
