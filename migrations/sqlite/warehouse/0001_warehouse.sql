-- Warehouse: what items are, where they lie, who they are held for.
-- Days are numbers since 1970-01-01 (0 = none), times microseconds UTC, amounts minor units.
-- A position is the order in which rows were made. Lists are read along it.

CREATE TABLE warehouse_items (
  position       INTEGER PRIMARY KEY AUTOINCREMENT,
  sku            TEXT NOT NULL UNIQUE,
  name           TEXT NOT NULL,
  weight_grams   INTEGER NOT NULL,
  length_mm      INTEGER NOT NULL,
  width_mm       INTEGER NOT NULL,
  height_mm      INTEGER NOT NULL,
  hazard_class   TEXT NOT NULL,
  hs_code        TEXT NOT NULL,
  origin_country TEXT NOT NULL
) STRICT;

-- Grows with each change of warehouses or cost cards: what processes remember of them is checked
-- against it.
CREATE TABLE warehouse_directory (
  directory_id INTEGER PRIMARY KEY CHECK (directory_id = 1),
  revision     INTEGER NOT NULL
) STRICT;
INSERT INTO warehouse_directory (directory_id, revision) VALUES (1, 1);

-- `content` is what CreateWarehouse was given, as a digest. Lists are joined by newlines.
CREATE TABLE warehouse_sites (
  position          INTEGER PRIMARY KEY AUTOINCREMENT,
  warehouse_id      TEXT NOT NULL UNIQUE,
  content           BLOB NOT NULL,
  name              TEXT NOT NULL,
  priority          INTEGER NOT NULL,
  active            INTEGER NOT NULL,
  address_name      TEXT NOT NULL,
  company           TEXT NOT NULL,
  phone             TEXT NOT NULL,
  email             TEXT NOT NULL,
  address_lines     TEXT NOT NULL,
  city              TEXT NOT NULL,
  region            TEXT NOT NULL,
  postal_code       TEXT NOT NULL,
  country_code      TEXT NOT NULL,
  latitude_e7       INTEGER,
  longitude_e7      INTEGER,
  handling_currency TEXT NOT NULL,
  handling_minor    INTEGER NOT NULL,
  cutoff_local_time TEXT NOT NULL,
  time_zone         TEXT NOT NULL,
  closed_days       TEXT NOT NULL,
  capacity_per_day  INTEGER NOT NULL,
  revision          INTEGER NOT NULL
) STRICT;

CREATE TABLE warehouse_cost_cards (
  warehouse_id     TEXT NOT NULL REFERENCES warehouse_sites (warehouse_id),
  valid_from_day   INTEGER NOT NULL,
  parcel_grams_max INTEGER NOT NULL,
  currency         TEXT NOT NULL,
  PRIMARY KEY (warehouse_id, valid_from_day)
) STRICT, WITHOUT ROWID;

CREATE TABLE warehouse_cost_bands (
  warehouse_id        TEXT NOT NULL,
  valid_from_day      INTEGER NOT NULL,
  distance_metres_max INTEGER NOT NULL,
  base_minor          INTEGER NOT NULL,
  per_kilogram_minor  INTEGER NOT NULL,
  PRIMARY KEY (warehouse_id, valid_from_day, distance_metres_max),
  FOREIGN KEY (warehouse_id, valid_from_day)
    REFERENCES warehouse_cost_cards (warehouse_id, valid_from_day)
) STRICT, WITHOUT ROWID;

CREATE TABLE warehouse_bins (
  position     INTEGER PRIMARY KEY AUTOINCREMENT,
  warehouse_id TEXT NOT NULL REFERENCES warehouse_sites (warehouse_id),
  zone         TEXT NOT NULL,
  bin          TEXT NOT NULL,
  UNIQUE (warehouse_id, zone, bin)
) STRICT;

CREATE TABLE warehouse_lots (
  sku        TEXT NOT NULL,
  lot        TEXT NOT NULL,
  expiry_day INTEGER NOT NULL,
  PRIMARY KEY (sku, lot)
) STRICT, WITHOUT ROWID;

-- One SKU in one warehouse. Its row is the lock for all that is on its shelves.
CREATE TABLE warehouse_stock (
  position                 INTEGER PRIMARY KEY AUTOINCREMENT,
  sku                      TEXT NOT NULL,
  warehouse_id             TEXT NOT NULL REFERENCES warehouse_sites (warehouse_id),
  on_hand                  INTEGER NOT NULL CHECK (on_hand >= 0),
  allocated                INTEGER NOT NULL CHECK (allocated >= 0),
  shipped_for_reservations INTEGER NOT NULL,
  update_time_us           INTEGER NOT NULL,
  UNIQUE (sku, warehouse_id)
) STRICT;
CREATE INDEX warehouse_stock_by_warehouse ON warehouse_stock (warehouse_id, position);

CREATE TABLE warehouse_shelves (
  sku          TEXT NOT NULL,
  warehouse_id TEXT NOT NULL,
  zone         TEXT NOT NULL,
  bin          TEXT NOT NULL,
  lot          TEXT NOT NULL,
  expiry_day   INTEGER NOT NULL,
  quantity     INTEGER NOT NULL CHECK (quantity > 0),
  first_in_us  INTEGER NOT NULL,
  PRIMARY KEY (sku, warehouse_id, zone, bin, lot, expiry_day)
) STRICT, WITHOUT ROWID;

-- Never changed, never deleted. `content` is what the caller gave, as a digest. Legs that we made
-- have none.
CREATE TABLE warehouse_movements (
  position       INTEGER PRIMARY KEY AUTOINCREMENT,
  movement_id    TEXT NOT NULL UNIQUE,
  content        BLOB,
  type           INTEGER NOT NULL,
  warehouse_id   TEXT NOT NULL,
  zone           TEXT NOT NULL,
  bin            TEXT NOT NULL,
  sku            TEXT NOT NULL,
  lot            TEXT NOT NULL,
  expiry_day     INTEGER NOT NULL,
  quantity       INTEGER NOT NULL CHECK (quantity <> 0),
  reason         TEXT NOT NULL,
  reference      TEXT NOT NULL,
  reservation_id TEXT NOT NULL,
  note           TEXT NOT NULL,
  time_us        INTEGER NOT NULL
) STRICT;
CREATE INDEX warehouse_movements_by_sku ON warehouse_movements (sku, position);
CREATE INDEX warehouse_movements_by_warehouse ON warehouse_movements (warehouse_id, position);
CREATE INDEX warehouse_movements_by_reference ON warehouse_movements (reference, position)
  WHERE reference <> '';

CREATE TABLE warehouse_transfers (
  position          INTEGER PRIMARY KEY AUTOINCREMENT,
  transfer_id       TEXT NOT NULL UNIQUE,
  content           BLOB NOT NULL,
  from_warehouse_id TEXT NOT NULL REFERENCES warehouse_sites (warehouse_id),
  to_warehouse_id   TEXT NOT NULL REFERENCES warehouse_sites (warehouse_id),
  state             INTEGER NOT NULL,
  received          BLOB,
  create_time_us    INTEGER NOT NULL,
  resolve_time_us   INTEGER NOT NULL
) STRICT;
CREATE INDEX warehouse_transfers_from ON warehouse_transfers (from_warehouse_id, position);
CREATE INDEX warehouse_transfers_to ON warehouse_transfers (to_warehouse_id, position);

CREATE TABLE warehouse_transfer_lines (
  transfer_id       TEXT NOT NULL REFERENCES warehouse_transfers (transfer_id),
  sku               TEXT NOT NULL,
  lot               TEXT NOT NULL,
  expiry_day        INTEGER NOT NULL,
  first_in_us       INTEGER NOT NULL,
  quantity          INTEGER NOT NULL,
  received_quantity INTEGER NOT NULL,
  PRIMARY KEY (transfer_id, sku, lot, expiry_day)
) STRICT, WITHOUT ROWID;

CREATE TABLE warehouse_counts (
  position        INTEGER PRIMARY KEY AUTOINCREMENT,
  count_id        TEXT NOT NULL UNIQUE,
  content         BLOB NOT NULL,
  warehouse_id    TEXT NOT NULL REFERENCES warehouse_sites (warehouse_id),
  zone            TEXT NOT NULL,
  skus            TEXT NOT NULL,
  state           INTEGER NOT NULL,
  create_time_us  INTEGER NOT NULL,
  resolve_time_us INTEGER NOT NULL
) STRICT;
CREATE INDEX warehouse_counts_by_warehouse ON warehouse_counts (warehouse_id, position);

CREATE TABLE warehouse_count_lines (
  count_id   TEXT NOT NULL REFERENCES warehouse_counts (count_id),
  sku        TEXT NOT NULL,
  zone       TEXT NOT NULL,
  bin        TEXT NOT NULL,
  lot        TEXT NOT NULL,
  expiry_day INTEGER NOT NULL,
  expected   INTEGER NOT NULL,
  counted    INTEGER,
  PRIMARY KEY (count_id, sku, zone, bin, lot, expiry_day)
) STRICT, WITHOUT ROWID;

-- `plan` says why: the reasons and the runner-up, as decided.
CREATE TABLE warehouse_allocations (
  position       INTEGER PRIMARY KEY AUTOINCREMENT,
  allocation_id  TEXT NOT NULL UNIQUE,
  content        BLOB NOT NULL,
  order_id       TEXT NOT NULL,
  reservation_id TEXT NOT NULL,
  state          INTEGER NOT NULL,
  strategy       INTEGER NOT NULL,
  currency       TEXT NOT NULL,
  total_minor    INTEGER,
  optimal        INTEGER NOT NULL,
  gap_minor      INTEGER NOT NULL,
  plan           BLOB NOT NULL,
  create_time_us INTEGER NOT NULL,
  expire_time_us INTEGER NOT NULL,
  revision       INTEGER NOT NULL
) STRICT;
CREATE INDEX warehouse_allocations_by_order ON warehouse_allocations (order_id, position)
  WHERE order_id <> '';
CREATE INDEX warehouse_allocations_due ON warehouse_allocations (expire_time_us) WHERE state = 1;

CREATE TABLE warehouse_allocation_parts (
  allocation_id   TEXT NOT NULL,
  part            INTEGER NOT NULL,
  warehouse_id    TEXT NOT NULL,
  state           INTEGER NOT NULL,
  distance_metres INTEGER,
  cost_minor      INTEGER,
  ship_day        INTEGER NOT NULL,
  shipped         BLOB,
  PRIMARY KEY (allocation_id, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX warehouse_allocation_parts_by_day
  ON warehouse_allocation_parts (warehouse_id, ship_day);

CREATE TABLE warehouse_allocation_lines (
  allocation_id    TEXT NOT NULL,
  part             INTEGER NOT NULL,
  sku              TEXT NOT NULL,
  warehouse_id     TEXT NOT NULL,
  quantity         INTEGER NOT NULL CHECK (quantity > 0),
  shipped_quantity INTEGER NOT NULL,
  PRIMARY KEY (allocation_id, part, sku)
) STRICT, WITHOUT ROWID;

CREATE TABLE warehouse_picks (
  allocation_id TEXT NOT NULL,
  part          INTEGER NOT NULL,
  sku           TEXT NOT NULL,
  zone          TEXT NOT NULL,
  bin           TEXT NOT NULL,
  lot           TEXT NOT NULL,
  expiry_day    INTEGER NOT NULL,
  quantity      INTEGER NOT NULL,
  PRIMARY KEY (allocation_id, part, sku, zone, bin, lot, expiry_day)
) STRICT, WITHOUT ROWID;

-- The outbox and its relay, in their standard form (platform/events/sql_outbox.h).
CREATE TABLE warehouse_outbox (
  outbox_id  INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id   TEXT NOT NULL,
  event_type TEXT NOT NULL,
  event_key  TEXT NOT NULL,
  time_us    INTEGER NOT NULL,
  data       BLOB NOT NULL
) STRICT;
CREATE TABLE warehouse_relay (
  relay_id       INTEGER PRIMARY KEY CHECK (relay_id = 1),
  holder         TEXT NOT NULL,
  lease_until_us INTEGER NOT NULL,
  sink           TEXT NOT NULL
) STRICT;
INSERT INTO warehouse_relay (relay_id, holder, lease_until_us, sink) VALUES (1, '', 0, '');
