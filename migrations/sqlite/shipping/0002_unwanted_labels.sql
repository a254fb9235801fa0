-- Labels that carriers sold for attempts that were over: to be voided, whatever becomes of the
-- process. State: 1 to void, 2 voided, 3 needs a person. A time of 0 = not asked any more.
CREATE TABLE shipping_unwanted_labels (
  position        INTEGER PRIMARY KEY AUTOINCREMENT,
  carrier         TEXT NOT NULL,
  tracking_number TEXT NOT NULL,
  shipment_id     TEXT NOT NULL REFERENCES shipping_shipments (shipment_id),
  attempt         INTEGER NOT NULL,
  country_code    TEXT NOT NULL,
  state           INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),
  note            TEXT NOT NULL,
  create_time_us  INTEGER NOT NULL,
  next_time_us    INTEGER NOT NULL,
  asks            INTEGER NOT NULL,
  UNIQUE (shipment_id, attempt, tracking_number)
) STRICT;
CREATE INDEX shipping_unwanted_labels_due ON shipping_unwanted_labels (next_time_us, position)
  WHERE state = 1;
CREATE INDEX shipping_unwanted_labels_attention ON shipping_unwanted_labels (position)
  WHERE state = 3;
