-- Labels that carriers sold for attempts that were over: to be voided, whatever becomes of the
-- process. State: 1 to void, 2 voided, 3 needs a person. A time of 0 = not asked any more.
CREATE TABLE shipping_unwanted_labels (
  position        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  carrier         text COLLATE "C" NOT NULL,
  tracking_number text COLLATE "C" NOT NULL,
  shipment_id     text COLLATE "C" NOT NULL REFERENCES shipping_shipments (shipment_id),
  attempt         bigint NOT NULL,
  country_code    text COLLATE "C" NOT NULL,
  state           bigint NOT NULL CHECK (state BETWEEN 1 AND 3),
  note            text COLLATE "C" NOT NULL,
  create_time_us  bigint NOT NULL,
  next_time_us    bigint NOT NULL,
  asks            bigint NOT NULL,
  UNIQUE (shipment_id, attempt, tracking_number)
);
CREATE INDEX shipping_unwanted_labels_due ON shipping_unwanted_labels (next_time_us, position)
  WHERE state = 1;
CREATE INDEX shipping_unwanted_labels_attention ON shipping_unwanted_labels (position)
  WHERE state = 3;
