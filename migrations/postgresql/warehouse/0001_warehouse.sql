-- Warehouse: what items are, where they lie, who they are held for.
-- Days are numbers since 1970-01-01 (0 = none), times microseconds UTC, amounts minor units.
-- A position is the order in which rows were made. Lists are read along it.

CREATE TABLE warehouse_items (
  position       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sku            text COLLATE "C" NOT NULL UNIQUE,
  name           text COLLATE "C" NOT NULL,
  weight_grams   bigint NOT NULL,
  length_mm      bigint NOT NULL,
  width_mm       bigint NOT NULL,
  height_mm      bigint NOT NULL,
  hazard_class   text COLLATE "C" NOT NULL,
  hs_code        text COLLATE "C" NOT NULL,
  origin_country text COLLATE "C" NOT NULL
);

-- Grows with each change of warehouses or cost cards: what processes remember of them is checked
-- against it.
CREATE TABLE warehouse_directory (
  directory_id bigint PRIMARY KEY CHECK (directory_id = 1),
  revision     bigint NOT NULL
);
INSERT INTO warehouse_directory (directory_id, revision) VALUES (1, 1);

-- `content` is what CreateWarehouse was given, as a digest. Lists are joined by newlines.
CREATE TABLE warehouse_sites (
  position          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  warehouse_id      text COLLATE "C" NOT NULL UNIQUE,
  content           bytea NOT NULL,
  name              text COLLATE "C" NOT NULL,
  priority          bigint NOT NULL,
  active            bigint NOT NULL,
  address_name      text COLLATE "C" NOT NULL,
  company           text COLLATE "C" NOT NULL,
  phone             text COLLATE "C" NOT NULL,
  email             text COLLATE "C" NOT NULL,
  address_lines     text COLLATE "C" NOT NULL,
  city              text COLLATE "C" NOT NULL,
  region            text COLLATE "C" NOT NULL,
  postal_code       text COLLATE "C" NOT NULL,
  country_code      text COLLATE "C" NOT NULL,
  latitude_e7       bigint,
  longitude_e7      bigint,
  handling_currency text COLLATE "C" NOT NULL,
  handling_minor    bigint NOT NULL,
  cutoff_local_time text COLLATE "C" NOT NULL,
  time_zone         text COLLATE "C" NOT NULL,
  closed_days       text COLLATE "C" NOT NULL,
  capacity_per_day  bigint NOT NULL,
  revision          bigint NOT NULL
);

CREATE TABLE warehouse_cost_cards (
  warehouse_id     text COLLATE "C" NOT NULL REFERENCES warehouse_sites (warehouse_id),
  valid_from_day   bigint NOT NULL,
  parcel_grams_max bigint NOT NULL,
  currency         text COLLATE "C" NOT NULL,
  PRIMARY KEY (warehouse_id, valid_from_day)
);

CREATE TABLE warehouse_cost_bands (
  warehouse_id        text COLLATE "C" NOT NULL,
  valid_from_day      bigint NOT NULL,
  distance_metres_max bigint NOT NULL,
  base_minor          bigint NOT NULL,
  per_kilogram_minor  bigint NOT NULL,
  PRIMARY KEY (warehouse_id, valid_from_day, distance_metres_max),
  FOREIGN KEY (warehouse_id, valid_from_day)
    REFERENCES warehouse_cost_cards (warehouse_id, valid_from_day)
);

CREATE TABLE warehouse_bins (
  position     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  warehouse_id text COLLATE "C" NOT NULL REFERENCES warehouse_sites (warehouse_id),
  zone         text COLLATE "C" NOT NULL,
  bin          text COLLATE "C" NOT NULL,
  UNIQUE (warehouse_id, zone, bin)
);

CREATE TABLE warehouse_lots (
  sku        text COLLATE "C" NOT NULL,
  lot        text COLLATE "C" NOT NULL,
  expiry_day bigint NOT NULL,
  PRIMARY KEY (sku, lot)
);

-- One SKU in one warehouse. Its row is the lock for all that is on its shelves.
CREATE TABLE warehouse_stock (
  position                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sku                      text COLLATE "C" NOT NULL,
  warehouse_id             text COLLATE "C" NOT NULL REFERENCES warehouse_sites (warehouse_id),
  on_hand                  bigint NOT NULL CHECK (on_hand >= 0),
  allocated                bigint NOT NULL CHECK (allocated >= 0),
  shipped_for_reservations bigint NOT NULL,
  update_time_us           bigint NOT NULL,
  UNIQUE (sku, warehouse_id)
);
CREATE INDEX warehouse_stock_by_warehouse ON warehouse_stock (warehouse_id, position);

CREATE TABLE warehouse_shelves (
  sku          text COLLATE "C" NOT NULL,
  warehouse_id text COLLATE "C" NOT NULL,
  zone         text COLLATE "C" NOT NULL,
  bin          text COLLATE "C" NOT NULL,
  lot          text COLLATE "C" NOT NULL,
  expiry_day   bigint NOT NULL,
  quantity     bigint NOT NULL CHECK (quantity > 0),
  first_in_us  bigint NOT NULL,
  PRIMARY KEY (sku, warehouse_id, zone, bin, lot, expiry_day)
);

-- Never changed, never deleted. `content` is what the caller gave, as a digest. Legs that we made
-- have none.
CREATE TABLE warehouse_movements (
  position       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  movement_id    text COLLATE "C" NOT NULL UNIQUE,
  content        bytea,
  type           bigint NOT NULL,
  warehouse_id   text COLLATE "C" NOT NULL,
  zone           text COLLATE "C" NOT NULL,
  bin            text COLLATE "C" NOT NULL,
  sku            text COLLATE "C" NOT NULL,
  lot            text COLLATE "C" NOT NULL,
  expiry_day     bigint NOT NULL,
  quantity       bigint NOT NULL CHECK (quantity <> 0),
  reason         text COLLATE "C" NOT NULL,
  reference      text COLLATE "C" NOT NULL,
  reservation_id text COLLATE "C" NOT NULL,
  note           text COLLATE "C" NOT NULL,
  time_us        bigint NOT NULL
);
CREATE INDEX warehouse_movements_by_sku ON warehouse_movements (sku, position);
CREATE INDEX warehouse_movements_by_warehouse ON warehouse_movements (warehouse_id, position);
CREATE INDEX warehouse_movements_by_reference ON warehouse_movements (reference, position)
  WHERE reference <> '';

CREATE TABLE warehouse_transfers (
  position          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  transfer_id       text COLLATE "C" NOT NULL UNIQUE,
  content           bytea NOT NULL,
  from_warehouse_id text COLLATE "C" NOT NULL REFERENCES warehouse_sites (warehouse_id),
  to_warehouse_id   text COLLATE "C" NOT NULL REFERENCES warehouse_sites (warehouse_id),
  state             bigint NOT NULL,
  received          bytea,
  create_time_us    bigint NOT NULL,
  resolve_time_us   bigint NOT NULL
);
CREATE INDEX warehouse_transfers_from ON warehouse_transfers (from_warehouse_id, position);
CREATE INDEX warehouse_transfers_to ON warehouse_transfers (to_warehouse_id, position);

CREATE TABLE warehouse_transfer_lines (
  transfer_id       text COLLATE "C" NOT NULL REFERENCES warehouse_transfers (transfer_id),
  sku               text COLLATE "C" NOT NULL,
  lot               text COLLATE "C" NOT NULL,
  expiry_day        bigint NOT NULL,
  first_in_us       bigint NOT NULL,
  quantity          bigint NOT NULL,
  received_quantity bigint NOT NULL,
  PRIMARY KEY (transfer_id, sku, lot, expiry_day)
);

CREATE TABLE warehouse_counts (
  position        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  count_id        text COLLATE "C" NOT NULL UNIQUE,
  content         bytea NOT NULL,
  warehouse_id    text COLLATE "C" NOT NULL REFERENCES warehouse_sites (warehouse_id),
  zone            text COLLATE "C" NOT NULL,
  skus            text COLLATE "C" NOT NULL,
  state           bigint NOT NULL,
  create_time_us  bigint NOT NULL,
  resolve_time_us bigint NOT NULL
);
CREATE INDEX warehouse_counts_by_warehouse ON warehouse_counts (warehouse_id, position);

CREATE TABLE warehouse_count_lines (
  count_id   text COLLATE "C" NOT NULL REFERENCES warehouse_counts (count_id),
  sku        text COLLATE "C" NOT NULL,
  zone       text COLLATE "C" NOT NULL,
  bin        text COLLATE "C" NOT NULL,
  lot        text COLLATE "C" NOT NULL,
  expiry_day bigint NOT NULL,
  expected   bigint NOT NULL,
  counted    bigint,
  PRIMARY KEY (count_id, sku, zone, bin, lot, expiry_day)
);

-- `plan` says why: the reasons and the runner-up, as decided.
CREATE TABLE warehouse_allocations (
  position       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  allocation_id  text COLLATE "C" NOT NULL UNIQUE,
  content        bytea NOT NULL,
  order_id       text COLLATE "C" NOT NULL,
  reservation_id text COLLATE "C" NOT NULL,
  state          bigint NOT NULL,
  strategy       bigint NOT NULL,
  currency       text COLLATE "C" NOT NULL,
  total_minor    bigint,
  optimal        bigint NOT NULL,
  gap_minor      bigint NOT NULL,
  plan           bytea NOT NULL,
  create_time_us bigint NOT NULL,
  expire_time_us bigint NOT NULL,
  revision       bigint NOT NULL
);
CREATE INDEX warehouse_allocations_by_order ON warehouse_allocations (order_id, position)
  WHERE order_id <> '';
CREATE INDEX warehouse_allocations_due ON warehouse_allocations (expire_time_us) WHERE state = 1;

CREATE TABLE warehouse_allocation_parts (
  allocation_id   text COLLATE "C" NOT NULL,
  part            bigint NOT NULL,
  warehouse_id    text COLLATE "C" NOT NULL,
  state           bigint NOT NULL,
  distance_metres bigint,
  cost_minor      bigint,
  ship_day        bigint NOT NULL,
  shipped         bytea,
  PRIMARY KEY (allocation_id, part)
);
CREATE INDEX warehouse_allocation_parts_by_day
  ON warehouse_allocation_parts (warehouse_id, ship_day);

CREATE TABLE warehouse_allocation_lines (
  allocation_id    text COLLATE "C" NOT NULL,
  part             bigint NOT NULL,
  sku              text COLLATE "C" NOT NULL,
  warehouse_id     text COLLATE "C" NOT NULL,
  quantity         bigint NOT NULL CHECK (quantity > 0),
  shipped_quantity bigint NOT NULL,
  PRIMARY KEY (allocation_id, part, sku)
);

CREATE TABLE warehouse_picks (
  allocation_id text COLLATE "C" NOT NULL,
  part          bigint NOT NULL,
  sku           text COLLATE "C" NOT NULL,
  zone          text COLLATE "C" NOT NULL,
  bin           text COLLATE "C" NOT NULL,
  lot           text COLLATE "C" NOT NULL,
  expiry_day    bigint NOT NULL,
  quantity      bigint NOT NULL,
  PRIMARY KEY (allocation_id, part, sku, zone, bin, lot, expiry_day)
);

-- The outbox and its relay, in their standard form (platform/events/sql_outbox.h).
CREATE TABLE warehouse_outbox (
  outbox_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
  event_id       text NOT NULL,
  event_type     text NOT NULL,
  event_key      text NOT NULL,
  time_us        bigint NOT NULL,
  data           bytea NOT NULL
);
CREATE TABLE warehouse_relay (
  relay_id       bigint PRIMARY KEY CHECK (relay_id = 1),
  holder         text NOT NULL,
  lease_until_us bigint NOT NULL,
  sink           text NOT NULL
);
INSERT INTO warehouse_relay (relay_id, holder, lease_until_us, sink) VALUES (1, '', 0, '');
