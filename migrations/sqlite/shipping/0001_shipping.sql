-- Shipping: what was bought from which carrier, the labels, and what carriers told us.
-- Times are microseconds UTC (0 = none), amounts minor units (currency '' = none).
-- A position is the order in which rows were made. Lists are read along it.

-- `consignment` is the whole of it, as sent; `parcel_numbers` what the carrier calls each parcel
-- (docs/internals/shipping.md). States and resolutions are numbered as in shipping.proto; formats:
-- 0 PDF, 1 ZPL, 2 PNG.
CREATE TABLE shipping_shipments (
  position                   INTEGER PRIMARY KEY AUTOINCREMENT,
  shipment_id                TEXT NOT NULL UNIQUE,
  content_hash               BLOB NOT NULL,
  order_id                   TEXT NOT NULL,
  reference                  TEXT NOT NULL,
  carrier                    TEXT NOT NULL,
  service_code               TEXT NOT NULL,
  consignment                BLOB NOT NULL,
  label_format               INTEGER NOT NULL,
  amount_currency            TEXT NOT NULL,
  amount_minor               INTEGER NOT NULL,
  create_time_us             INTEGER NOT NULL,
  state                      INTEGER NOT NULL CHECK (state BETWEEN 1 AND 7),
  attempt                    INTEGER NOT NULL CHECK (attempt >= 1),
  sent_time_us               INTEGER NOT NULL,
  lookup_time_us             INTEGER NOT NULL,
  lookups                    INTEGER NOT NULL,
  failure                    TEXT NOT NULL,
  cancel_wanted              INTEGER NOT NULL,
  cancel_reason              TEXT NOT NULL,
  resolution                 INTEGER NOT NULL,
  tracking_number            TEXT NOT NULL,
  parcel_numbers             BLOB NOT NULL,
  charged_currency           TEXT NOT NULL,
  charged_minor              INTEGER NOT NULL,
  estimated_delivery_time_us INTEGER NOT NULL,
  update_time_us             INTEGER NOT NULL,
  revision                   INTEGER NOT NULL,
  CHECK (state <> 3 OR tracking_number <> '')
) STRICT;
CREATE INDEX shipping_shipments_by_order ON shipping_shipments (order_id, position)
  WHERE order_id <> '';
CREATE INDEX shipping_shipments_by_state ON shipping_shipments (state, position);
-- What waits for an answer, and what the resolver has to do.
CREATE INDEX shipping_shipments_sent ON shipping_shipments (sent_time_us) WHERE state = 2;
CREATE INDEX shipping_shipments_due ON shipping_shipments (lookup_time_us, shipment_id)
  WHERE lookup_time_us > 0;

-- Whose number it is: of the whole shipment or of a parcel.
CREATE TABLE shipping_numbers (
  carrier         TEXT NOT NULL,
  tracking_number TEXT NOT NULL,
  shipment_id     TEXT NOT NULL REFERENCES shipping_shipments (shipment_id),
  PRIMARY KEY (carrier, tracking_number, shipment_id)
) STRICT, WITHOUT ROWID;

-- As the carrier gave them. `parcel` counts from 0, -1 = of the whole shipment.
CREATE TABLE shipping_labels (
  shipment_id TEXT NOT NULL REFERENCES shipping_shipments (shipment_id),
  label       INTEGER NOT NULL,
  parcel      INTEGER NOT NULL,
  format      INTEGER NOT NULL,
  content     BLOB NOT NULL,
  PRIMARY KEY (shipment_id, label)
) STRICT;

-- Never changed, never deleted.
CREATE TABLE shipping_audit (
  position    INTEGER PRIMARY KEY AUTOINCREMENT,
  time_us     INTEGER NOT NULL,
  shipment_id TEXT NOT NULL,
  attempt     INTEGER NOT NULL,
  what        TEXT NOT NULL,
  note        TEXT NOT NULL,
  url         TEXT NOT NULL,
  request     BLOB NOT NULL,
  status      INTEGER NOT NULL,
  answer      BLOB NOT NULL,
  duration_us INTEGER NOT NULL
) STRICT;
CREATE INDEX shipping_audit_by_shipment ON shipping_audit (shipment_id, position);

-- Pushes as they came. State: 0 waits, 1 processed, 2 of unknown shape, for a person.
CREATE TABLE shipping_webhooks (
  position        INTEGER PRIMARY KEY AUTOINCREMENT,
  carrier         TEXT NOT NULL,
  content_hash    BLOB NOT NULL,
  body            BLOB NOT NULL,
  receive_time_us INTEGER NOT NULL,
  state           INTEGER NOT NULL,
  why             TEXT NOT NULL,
  UNIQUE (carrier, content_hash)
) STRICT;
CREATE INDEX shipping_webhooks_waiting ON shipping_webhooks (position) WHERE state = 0;
CREATE INDEX shipping_webhooks_unknown ON shipping_webhooks (position) WHERE state = 2;

-- Every scan once, by its content.
CREATE TABLE shipping_scans (
  scan_hash  BLOB PRIMARY KEY,
  webhook_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Its row is the lock of those who lock several shipments, or events of numbers that are of none.
CREATE TABLE shipping_turn (
  turn_id INTEGER PRIMARY KEY CHECK (turn_id = 1)
) STRICT;
INSERT INTO shipping_turn (turn_id) VALUES (1);

-- The outbox and its relay, in their standard form (platform/events/sql_outbox.h).
CREATE TABLE shipping_outbox (
  outbox_id  INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id   TEXT NOT NULL,
  event_type TEXT NOT NULL,
  event_key  TEXT NOT NULL,
  time_us    INTEGER NOT NULL,
  data       BLOB NOT NULL
) STRICT;
CREATE TABLE shipping_relay (
  relay_id       INTEGER PRIMARY KEY CHECK (relay_id = 1),
  holder         TEXT NOT NULL,
  lease_until_us INTEGER NOT NULL,
  sink           TEXT NOT NULL
) STRICT;
INSERT INTO shipping_relay (relay_id, holder, lease_until_us, sink) VALUES (1, '', 0, '');
