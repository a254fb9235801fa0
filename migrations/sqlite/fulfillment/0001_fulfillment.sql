-- Fulfillment: orders and their processes, what others have told of them, how far others' events
-- were followed, the outbox.

-- `record` holds the order and its process (order_record.c); what is asked for has columns. A row is
-- driven by who holds its claim; it is due at next_time_us (0 = it rests).
CREATE TABLE fulfillment_orders (
  position       INTEGER PRIMARY KEY AUTOINCREMENT,
  order_id       TEXT NOT NULL UNIQUE,
  content        BLOB NOT NULL,
  customer_id    TEXT NOT NULL,
  state          INTEGER NOT NULL,
  expire_time_us INTEGER NOT NULL,
  create_time_us INTEGER NOT NULL,
  update_time_us INTEGER NOT NULL,
  revision       INTEGER NOT NULL,
  claim          INTEGER NOT NULL,
  lease_until_us INTEGER NOT NULL,
  next_time_us   INTEGER NOT NULL,
  is_resting     INTEGER NOT NULL,
  record         BLOB NOT NULL
) STRICT;
CREATE INDEX fulfillment_orders_by_customer ON fulfillment_orders (customer_id, position)
  WHERE customer_id <> '';
CREATE INDEX fulfillment_orders_by_state ON fulfillment_orders (state, position);
CREATE INDEX fulfillment_orders_due ON fulfillment_orders (next_time_us) WHERE next_time_us > 0;
CREATE INDEX fulfillment_orders_promised ON fulfillment_orders (expire_time_us)
  WHERE state = 1 AND is_resting = 1;

-- What other contexts' events say of an order, until its driver takes them.
CREATE TABLE fulfillment_signals (
  signal_id INTEGER PRIMARY KEY AUTOINCREMENT,
  order_id  TEXT NOT NULL,
  signal    BLOB NOT NULL
) STRICT;
CREATE INDEX fulfillment_signals_by_order ON fulfillment_signals (order_id, signal_id);

CREATE TABLE fulfillment_places (
  source   TEXT PRIMARY KEY,
  log      TEXT NOT NULL,
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The outbox and its relay, in their standard form (platform/events/sql_outbox.h).
CREATE TABLE fulfillment_outbox (
  outbox_id  INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id   TEXT NOT NULL,
  event_type TEXT NOT NULL,
  event_key  TEXT NOT NULL,
  time_us    INTEGER NOT NULL,
  data       BLOB NOT NULL
) STRICT;
CREATE TABLE fulfillment_relay (
  relay_id       INTEGER PRIMARY KEY CHECK (relay_id = 1),
  holder         TEXT NOT NULL,
  lease_until_us INTEGER NOT NULL,
  sink           TEXT NOT NULL
) STRICT;
INSERT INTO fulfillment_relay (relay_id, holder, lease_until_us, sink) VALUES (1, '', 0, '');
