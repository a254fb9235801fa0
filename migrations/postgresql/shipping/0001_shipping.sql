-- Shipping: what was bought from which carrier, the labels, and what carriers told us.
-- Times are microseconds UTC (0 = none), amounts minor units (currency '' = none).
-- A position is the order in which rows were made. Lists are read along it.

-- `consignment` is the whole of it, as sent; `parcel_numbers` what the carrier calls each parcel
-- (docs/internals/shipping.md). States and resolutions are numbered as in shipping.proto; formats:
-- 0 PDF, 1 ZPL, 2 PNG.
CREATE TABLE shipping_shipments (
  position                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shipment_id                text COLLATE "C" NOT NULL UNIQUE,
  content_hash               bytea NOT NULL,
  order_id                   text COLLATE "C" NOT NULL,
  reference                  text COLLATE "C" NOT NULL,
  carrier                    text COLLATE "C" NOT NULL,
  service_code               text COLLATE "C" NOT NULL,
  consignment                bytea NOT NULL,
  label_format               bigint NOT NULL,
  amount_currency            text COLLATE "C" NOT NULL,
  amount_minor               bigint NOT NULL,
  create_time_us             bigint NOT NULL,
  state                      bigint NOT NULL CHECK (state BETWEEN 1 AND 7),
  attempt                    bigint NOT NULL CHECK (attempt >= 1),
  sent_time_us               bigint NOT NULL,
  lookup_time_us             bigint NOT NULL,
  lookups                    bigint NOT NULL,
  failure                    text COLLATE "C" NOT NULL,
  cancel_wanted              bigint NOT NULL,
  cancel_reason              text COLLATE "C" NOT NULL,
  resolution                 bigint NOT NULL,
  tracking_number            text COLLATE "C" NOT NULL,
  parcel_numbers             bytea NOT NULL,
  charged_currency           text COLLATE "C" NOT NULL,
  charged_minor              bigint NOT NULL,
  estimated_delivery_time_us bigint NOT NULL,
  update_time_us             bigint NOT NULL,
  revision                   bigint NOT NULL,
  CHECK (state <> 3 OR tracking_number <> '')
);
CREATE INDEX shipping_shipments_by_order ON shipping_shipments (order_id, position)
  WHERE order_id <> '';
CREATE INDEX shipping_shipments_by_state ON shipping_shipments (state, position);
-- What waits for an answer, and what the resolver has to do.
CREATE INDEX shipping_shipments_sent ON shipping_shipments (sent_time_us) WHERE state = 2;
CREATE INDEX shipping_shipments_due ON shipping_shipments (lookup_time_us, shipment_id)
  WHERE lookup_time_us > 0;

-- Whose number it is: of the whole shipment or of a parcel.
CREATE TABLE shipping_numbers (
  carrier         text COLLATE "C" NOT NULL,
  tracking_number text COLLATE "C" NOT NULL,
  shipment_id     text COLLATE "C" NOT NULL REFERENCES shipping_shipments (shipment_id),
  PRIMARY KEY (carrier, tracking_number, shipment_id)
);

-- As the carrier gave them. `parcel` counts from 0, -1 = of the whole shipment.
CREATE TABLE shipping_labels (
  shipment_id text COLLATE "C" NOT NULL REFERENCES shipping_shipments (shipment_id),
  label       bigint NOT NULL,
  parcel      bigint NOT NULL,
  format      bigint NOT NULL,
  content     bytea NOT NULL,
  PRIMARY KEY (shipment_id, label)
);

-- Never changed, never deleted.
CREATE TABLE shipping_audit (
  position    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  time_us     bigint NOT NULL,
  shipment_id text COLLATE "C" NOT NULL,
  attempt     bigint NOT NULL,
  what        text COLLATE "C" NOT NULL,
  note        text COLLATE "C" NOT NULL,
  url         text COLLATE "C" NOT NULL,
  request     bytea NOT NULL,
  status      bigint NOT NULL,
  answer      bytea NOT NULL,
  duration_us bigint NOT NULL
);
CREATE INDEX shipping_audit_by_shipment ON shipping_audit (shipment_id, position);

-- Pushes as they came. State: 0 waits, 1 processed, 2 of unknown shape, for a person.
CREATE TABLE shipping_webhooks (
  position        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  carrier         text COLLATE "C" NOT NULL,
  content_hash    bytea NOT NULL,
  body            bytea NOT NULL,
  receive_time_us bigint NOT NULL,
  state           bigint NOT NULL,
  why             text COLLATE "C" NOT NULL,
  UNIQUE (carrier, content_hash)
);
CREATE INDEX shipping_webhooks_waiting ON shipping_webhooks (position) WHERE state = 0;
CREATE INDEX shipping_webhooks_unknown ON shipping_webhooks (position) WHERE state = 2;

-- Every scan once, by its content.
CREATE TABLE shipping_scans (
  scan_hash  bytea PRIMARY KEY,
  webhook_id bigint NOT NULL
);

-- Its row is the lock of those who lock several shipments, or events of numbers that are of none.
CREATE TABLE shipping_turn (
  turn_id bigint PRIMARY KEY CHECK (turn_id = 1)
);
INSERT INTO shipping_turn (turn_id) VALUES (1);

-- The outbox and its relay, in their standard form (platform/events/sql_outbox.h).
CREATE TABLE shipping_outbox (
  outbox_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
  event_id       text NOT NULL,
  event_type     text NOT NULL,
  event_key      text NOT NULL,
  time_us        bigint NOT NULL,
  data           bytea NOT NULL
);
CREATE TABLE shipping_relay (
  relay_id       bigint PRIMARY KEY CHECK (relay_id = 1),
  holder         text NOT NULL,
  lease_until_us bigint NOT NULL,
  sink           text NOT NULL
);
INSERT INTO shipping_relay (relay_id, holder, lease_until_us, sink) VALUES (1, '', 0, '');
