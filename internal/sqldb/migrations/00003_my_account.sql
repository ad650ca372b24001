-- My Account: how clients get in, what is written to them, and Auto Pay. As in the first migration: whole cents, milliseconds, days as '2006-01-02', flags 0 and 1.

-- +goose Up
ALTER TABLE cards ADD COLUMN refused TEXT NOT NULL DEFAULT ''; -- the bank's word that it must not be charged again
ALTER TABLE clients ADD COLUMN auto_pay_terms TEXT NOT NULL DEFAULT '';    -- the version that was agreed to when Auto Pay was turned on; '' while it is off, and where it came with an import
ALTER TABLE clients ADD COLUMN auto_pay_language TEXT NOT NULL DEFAULT ''; -- in which it was read
ALTER TABLE cards ADD COLUMN fingerprint TEXT NOT NULL DEFAULT ''; -- Stripe's, the same for a number wherever it is entered; '': not known
ALTER TABLE cards ADD COLUMN setup_id TEXT NOT NULL DEFAULT ''; -- the SetupIntent by which it was added: what the client agreed to stands there
ALTER TABLE cards ADD COLUMN warned BIGINT NOT NULL DEFAULT 0; -- the expiration, year * 12 + month, that the client was warned of
CREATE UNIQUE INDEX cards_one_a_number ON cards (client_id, fingerprint) WHERE removed_ms = 0 AND fingerprint <> '';
CREATE INDEX cards_expiring ON cards (exp_year, exp_month, warned) WHERE removed_ms = 0;

-- A client's customer at Stripe, made once. n counts those that were deleted there.
CREATE TABLE stripe_customers (
  client_id TEXT PRIMARY KEY REFERENCES clients (id),
  customer  TEXT UNIQUE,
  n         BIGINT NOT NULL
);

-- A card that a client wants us to keep: a SetupIntent, and what was agreed to when it was asked for, which is on record before there is a card.
CREATE TABLE card_setups (
  id             TEXT PRIMARY KEY,
  client_id      TEXT NOT NULL REFERENCES clients (id),
  customer       TEXT NOT NULL,
  terms_version  TEXT NOT NULL,
  terms_language TEXT NOT NULL,
  address        TEXT NOT NULL,
  user_agent     TEXT NOT NULL,
  agreed_ms      BIGINT NOT NULL,
  state          TEXT NOT NULL CHECK (state IN ('open', 'kept', 'same', 'refused')),
  card_id        TEXT NOT NULL, -- that came of it, or was there before; '' for none
  why            TEXT NOT NULL  -- it was refused, or the bank's word at the last try
);
CREATE INDEX card_setups_of_client ON card_setups (client_id, agreed_ms);

-- What is still to be done about cards at Stripe: an object is looked at that an event has told of, or a payment method is detached. A row goes when its work is done.
CREATE TABLE card_tasks (
  object  TEXT NOT NULL, -- seti_…, pm_…, cus_…
  work    TEXT NOT NULL CHECK (work IN ('look', 'detach')),
  next_ms BIGINT NOT NULL,
  takes   BIGINT NOT NULL, -- how often it was taken up or asked for again: who ends it must have been the last
  PRIMARY KEY (object, work)
);
CREATE INDEX card_tasks_due ON card_tasks (next_ms);

-- What is agreed to: 'payment' by whoever pays once, 'card' by a client whose card we keep.
ALTER TABLE terms_in_force ADD COLUMN kind TEXT NOT NULL DEFAULT 'payment';

-- Where a location is, and when it takes clients: by the day of the week, on its own clock. Each of its bays takes one client at a time.
ALTER TABLE locations ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE locations ADD COLUMN phone TEXT NOT NULL DEFAULT '';
CREATE TABLE opening_hours (
  location_id TEXT NOT NULL REFERENCES locations (id),
  weekday     BIGINT NOT NULL CHECK (weekday BETWEEN 0 AND 6), -- 0 is Sunday
  opens       BIGINT NOT NULL CHECK (opens >= 0), -- minutes after midnight
  closes      BIGINT NOT NULL CHECK (closes > opens AND closes <= 1440),
  bays        BIGINT NOT NULL CHECK (bays > 0),
  PRIMARY KEY (location_id, weekday)
);

-- Whether the carrier blocks texts to a number too, because its owner texted STOP: only a START from the phone lifts that.
ALTER TABLE opt_outs ADD COLUMN carrier BIGINT NOT NULL DEFAULT 1;

-- How clients get into My Account, and the browsers that are signed in.
CREATE TABLE access (
  client_id     TEXT PRIMARY KEY REFERENCES clients (id),
  password_hash TEXT NOT NULL,
  must_change   BIGINT NOT NULL,
  password_ms   BIGINT NOT NULL,
  since_ms      BIGINT NOT NULL,
  wrong         BIGINT NOT NULL,
  locked_ms     BIGINT NOT NULL,
  read_n        BIGINT NOT NULL -- entries of the client's trail up to which notices were read
);
CREATE TABLE client_sessions (
  id        TEXT PRIMARY KEY,
  digest    TEXT NOT NULL UNIQUE, -- of the token that the browser holds
  client_id TEXT NOT NULL REFERENCES clients (id),
  began_ms  BIGINT NOT NULL,
  seen_ms   BIGINT NOT NULL,
  ended_ms  BIGINT NOT NULL,
  browser   TEXT NOT NULL,
  address   TEXT NOT NULL
);
CREATE INDEX client_sessions_of_client ON client_sessions (client_id, seen_ms);

-- Tokens that came by mail or text, by digest: each good once and for a while. What one is for stands in kind: 'reset' a password, 'mail' or 'phone' that is to become the client's.
CREATE TABLE client_tokens (
  digest     TEXT PRIMARY KEY,
  client_id  TEXT NOT NULL REFERENCES clients (id),
  kind       TEXT NOT NULL CHECK (kind IN ('reset', 'mail', 'phone')),
  target     TEXT NOT NULL, -- the new address or number; '' for a reset
  tries      BIGINT NOT NULL,
  made_ms    BIGINT NOT NULL,
  used_ms    BIGINT NOT NULL
);
CREATE INDEX client_tokens_of_client ON client_tokens (client_id, kind, made_ms);

-- Letters by mail. What is secret in one is sealed, and gone once it has left.
CREATE TABLE letters (
  id         TEXT PRIMARY KEY,
  client_id  TEXT NOT NULL REFERENCES clients (id),
  kind       TEXT NOT NULL,
  language   TEXT NOT NULL,
  address    TEXT NOT NULL,
  said       TEXT NOT NULL, -- values of its words, JSON
  box        TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'failed')),
  tries      BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  sent_ms    BIGINT NOT NULL,
  next_ms    BIGINT
);
CREATE INDEX letters_due ON letters (next_ms) WHERE next_ms IS NOT NULL;
CREATE INDEX letters_of_client ON letters (client_id, created_ms);

-- One charge that Auto Pay owes: a vehicle's Paid To Date. However many schedulers there are, there is one.
CREATE TABLE auto_pay_runs (
  vehicle_id TEXT NOT NULL REFERENCES vehicles (id),
  due        TEXT NOT NULL,
  client_id  TEXT NOT NULL REFERENCES clients (id),
  state      TEXT NOT NULL CHECK (state IN ('waiting', 'paid', 'stopped')),
  reminded   BIGINT NOT NULL,
  charges    BIGINT NOT NULL,
  declines   BIGINT NOT NULL,
  first_ms   BIGINT NOT NULL,
  next_ms    BIGINT,
  payment_id TEXT NOT NULL,
  why        TEXT NOT NULL,
  takes      BIGINT NOT NULL,
  PRIMARY KEY (vehicle_id, due)
);
CREATE INDEX auto_pay_runs_due ON auto_pay_runs (next_ms) WHERE next_ms IS NOT NULL;
CREATE INDEX auto_pay_runs_of_client ON auto_pay_runs (client_id, due);
CREATE INDEX clients_enrolled ON clients (id) WHERE auto_pay_days <> 0;
