-- Fulfillment: orders and their processes, what others have told of them, how far others' events
-- were followed, the outbox.

-- `record` holds the order and its process (order_record.c); what is asked for has columns. A row is
-- driven by who holds its claim; it is due at next_time_us (0 = it rests).
CREATE TABLE fulfillment_orders (
  position       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id       text COLLATE "C" NOT NULL UNIQUE,
  content        bytea NOT NULL,
  customer_id    text COLLATE "C" NOT NULL,
  state          bigint NOT NULL,
  expire_time_us bigint NOT NULL,
  create_time_us bigint NOT NULL,
  update_time_us bigint NOT NULL,
  revision       bigint NOT NULL,
  claim          bigint NOT NULL,
  lease_until_us bigint NOT NULL,
  next_time_us   bigint NOT NULL,
  is_resting     bigint NOT NULL,
  record         bytea NOT NULL
);
CREATE INDEX fulfillment_orders_by_customer ON fulfillment_orders (customer_id, position)
  WHERE customer_id <> '';
CREATE INDEX fulfillment_orders_by_state ON fulfillment_orders (state, position);
CREATE INDEX fulfillment_orders_due ON fulfillment_orders (next_time_us) WHERE next_time_us > 0;
CREATE INDEX fulfillment_orders_promised ON fulfillment_orders (expire_time_us)
  WHERE state = 1 AND is_resting = 1;

-- What other contexts' events say of an order, until its driver takes them.
CREATE TABLE fulfillment_signals (
  signal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id  text COLLATE "C" NOT NULL,
  signal    bytea NOT NULL
);
CREATE INDEX fulfillment_signals_by_order ON fulfillment_signals (order_id, signal_id);

CREATE TABLE fulfillment_places (
  source   text COLLATE "C" PRIMARY KEY,
  log      text COLLATE "C" NOT NULL,
  position bigint NOT NULL
);

-- The outbox and its relay, in their standard form (platform/events/sql_outbox.h).
CREATE TABLE fulfillment_outbox (
  outbox_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
  event_id       text NOT NULL,
  event_type     text NOT NULL,
  event_key      text NOT NULL,
  time_us        bigint NOT NULL,
  data           bytea NOT NULL
);
CREATE TABLE fulfillment_relay (
  relay_id       bigint PRIMARY KEY CHECK (relay_id = 1),
  holder         text NOT NULL,
  lease_until_us bigint NOT NULL,
  sink           text NOT NULL
);
INSERT INTO fulfillment_relay (relay_id, holder, lease_until_us, sink) VALUES (1, '', 0, '');
