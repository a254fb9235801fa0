/*
 * Records to bytes and back. Encoding cannot fail; decoding trusts nothing: a state, a count or a
 * length that cannot be is "no record", which recovery reports as damage with its place.
 */
#include "inventory/infrastructure/embedded/inventory_record.h"

#include "platform/base/codec.h"

/* The first byte of a record: its type, and from it the version: version 1 wrote the type itself.
 */
enum {
    first_byte_shift = RECORD_RESERVATION,
    first_byte_followed_received = 8, /* RECEIVED and ADJUSTED by following the shelf */
    first_byte_followed_adjusted = 9,
    first_byte_shelf_place = 10,
    first_byte_max = first_byte_shelf_place,
};

/* Of a change of one stock: what it crossed, and whether further fields follow. */
enum {
    flag_after_shift = 2, /* the state before in bits 0 and 1, after it in bits 2 and 3 */
    flag_state_mask = 3,
    flag_shortage = 1 << 4,
    flag_backordered = 1 << 5,
    flags_end = 1 << 6,
};

/* Of a reservation, beside its change. */
enum { flag_allow_partial = 1 << 3, change_mask = 7, changes_end = 1 << 4 };

/* The state after each change. */
static const enum reservation_state state_after[] = {
    [CHANGE_RESERVED] = RESERVATION_PENDING,        [CHANGE_COMMITTED] = RESERVATION_COMMITTED,
    [CHANGE_ROLLED_BACK] = RESERVATION_ROLLED_BACK, [CHANGE_EXPIRED] = RESERVATION_EXPIRED,
    [CHANGE_EXTENDED] = RESERVATION_PENDING,        [CHANGE_RETAKEN] = RESERVATION_COMMITTED,
    [CHANGE_RETURNED] = RESERVATION_COMMITTED,
};

static void write_signed(struct byte_writer *writer, int64_t value)
{
    uint64_t sign = value < 0;
    uint64_t size = sign ? 0 - (uint64_t)value : (uint64_t)value;
    write_varint(writer, size << 1 | sign);
}

static int64_t read_signed(struct byte_reader *reader)
{
    uint64_t value = read_varint(reader);
    return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

static bool crosses(const struct stock_crossing *crossing)
{
    return crossing->before != crossing->after || crossing->shortage;
}

/* What every change of a stock says: flags, revision, link. */
static void encode_change(struct byte_writer *writer, const struct stock_crossing *crossing,
                          int64_t backordered_quantity, int64_t stock_revision,
                          struct sku_link link)
{
    unsigned flags = (unsigned)crossing->before | (unsigned)crossing->after << flag_after_shift |
                     (crossing->shortage ? flag_shortage : 0) |
                     (backordered_quantity > 0 ? flag_backordered : 0);
    write_varint(writer, flags);
    if (backordered_quantity > 0)
        write_varint(writer, (uint64_t)backordered_quantity);
    if (crosses(crossing)) {
        write_signed(writer, crossing->available);
        write_varint(writer, (uint64_t)crossing->low_stock_threshold);
    }
    write_varint(writer, (uint64_t)stock_revision);
    write_varint(writer, link.previous_position);
    write_varint(writer, link.entry_number);
}

static bool follows_shelf(const struct inventory_record *record)
{
    return record->shelf.position != 0 && record->type != RECORD_SHELF_PLACE;
}

static uint8_t first_byte(const struct inventory_record *record)
{
    if (record->type == RECORD_SHELF_PLACE)
        return first_byte_shelf_place;
    if (follows_shelf(record))
        return record->type == RECORD_STOCK_RECEIVED ? first_byte_followed_received
                                                     : first_byte_followed_adjusted;
    return (uint8_t)(record->type + first_byte_shift);
}

static void encode_stock_change(const struct inventory_record *record, struct byte_writer *writer)
{
    write_uint64(writer, (uint64_t)record->time_us);
    encode_change(writer, &record->crossing, 0, record->stock_revision, record->link);
    if (record->type == RECORD_STOCK_POLICY) {
        write_varint(writer, (uint64_t)record->policy.low_stock_threshold);
        write_varint(writer, (uint64_t)record->policy.safety_stock);
        write_varint(writer, (uint64_t)record->policy.backorder_limit);
        write_varint(writer, (uint64_t)record->policy.reservation_quantity_max);
        return;
    }
    write_text(writer, record->sku);
    write_signed(writer, record->quantity);
    if (record->type == RECORD_STOCK_ADJUSTED) {
        write_uint8(writer, (uint8_t)record->reason);
        write_text(writer, record->note);
    }
    if (follows_shelf(record)) {
        write_text(writer, record->shelf.log);
        write_varint(writer, record->shelf.position);
    }
}

static void encode_place(const struct inventory_record *record, struct byte_writer *writer)
{
    write_uint64(writer, (uint64_t)record->time_us);
    write_varint(writer, record->shelf.position);
}

static void encode_requested(const struct reservation *reservation, struct byte_writer *writer)
{
    write_varint(writer, reservation->requested_count);
    for (size_t i = 0; i < reservation->requested_count; i++) {
        write_text(writer, reservation->requested[i].sku);
        write_varint(writer, (uint64_t)reservation->requested[i].quantity);
    }
}

static void encode_reservation_head(const struct inventory_record *record,
                                    struct byte_writer *writer)
{
    const struct reservation *reservation = &record->reservation;
    write_uint8(writer, (uint8_t)((unsigned)record->change |
                                  (reservation->allow_partial ? flag_allow_partial : 0)));
    write_text(writer, reservation->order_id);
    write_text(writer, reservation->customer_id);
    write_uint64(writer, (uint64_t)reservation->create_time_us);
    write_varint(writer, (uint64_t)reservation->ttl_us);
    write_varint(writer, (uint64_t)(reservation->expire_time_us - reservation->create_time_us -
                                    reservation->ttl_us));
    if (record->change == CHANGE_RESERVED) {
        write_varint(writer, record->list_links.back_any);
        write_varint(writer, record->list_links.back_order);
        write_varint(writer, record->list_links.back_customer);
        return;
    }
    write_varint(writer, (uint64_t)(record->time_us - reservation->create_time_us));
    if (record->change == CHANGE_RETURNED) {
        write_varint(writer,
                     (uint64_t)(reservation->resolve_time_us - reservation->create_time_us));
        write_text(writer, record->return_id);
        write_uint8(writer, (uint8_t)record->return_reason);
    }
}

static void encode_reservation(const struct inventory_record *record, struct byte_writer *writer)
{
    const struct reservation *reservation = &record->reservation;
    encode_reservation_head(record, writer);
    write_varint(writer, reservation->line_count);
    for (size_t i = 0; i < reservation->line_count; i++) {
        const struct reservation_line *line = &reservation->lines[i];
        write_text(writer, line->sku);
        write_varint(writer, (uint64_t)line->quantity);
        if (reservation->state == RESERVATION_COMMITTED)
            write_varint(writer, (uint64_t)line->committed_quantity);
        if (record->change == CHANGE_RETURNED) {
            write_varint(writer, (uint64_t)line->returned_quantity);
            write_varint(writer, (uint64_t)record->returned_now[i]);
        }
        encode_change(writer, &record->crossings[i], line->backordered_quantity,
                      line->stock_revision, record->links[i]);
    }
    if (reservation->allow_partial)
        encode_requested(reservation, writer);
}

size_t inventory_record_encode(const struct inventory_record *record, char *bytes)
{
    struct byte_writer writer = {.at = bytes};
    write_uint8(&writer, first_byte(record));
    write_text(&writer, record->id);
    if (record->type == RECORD_RESERVATION)
        encode_reservation(record, &writer);
    else if (record->type == RECORD_SHELF_PLACE)
        encode_place(record, &writer);
    else
        encode_stock_change(record, &writer);
    return (size_t)(writer.at - bytes);
}

/* --- decoding --- */

static struct sku_link decode_link(struct byte_reader *reader)
{
    struct sku_link link;
    link.previous_position = read_varint(reader);
    link.entry_number = read_varint(reader);
    return link;
}

/* A text within its limit: whatever memory replay takes for it is bounded. */
static struct text decode_text(struct byte_reader *reader, size_t size_min, size_t size_max)
{
    struct text text = read_text(reader);
    reader->failed |= text.size < size_min || text.size > size_max;
    return text;
}

static void decode_change(struct byte_reader *reader, struct stock_crossing *crossing,
                          int64_t *backordered_quantity, int64_t *stock_revision,
                          struct sku_link *link)
{
    uint64_t flags = read_varint(reader);
    unsigned before = flags & flag_state_mask;
    unsigned after = flags >> flag_after_shift & flag_state_mask;
    reader->failed |=
        flags >= flags_end || before > STOCK_STATE_OUT_OF_STOCK || after > STOCK_STATE_OUT_OF_STOCK;
    *crossing = (struct stock_crossing){
        .before = (enum stock_state)before,
        .after = (enum stock_state)after,
        .shortage = (flags & flag_shortage) != 0,
    };
    *backordered_quantity = flags & flag_backordered ? read_quantity(reader) : 0;
    if (crosses(crossing)) {
        crossing->available = read_signed(reader);
        crossing->low_stock_threshold = read_quantity(reader);
    }
    *stock_revision = read_quantity(reader);
    *link = decode_link(reader);
}

static int64_t decode_policy_value(struct byte_reader *reader)
{
    int64_t value = read_quantity(reader);
    reader->failed |= value > inventory_quantity_max;
    return value;
}

static void decode_policy(struct byte_reader *reader, struct inventory_record *record)
{
    record->sku = record->id;
    record->policy.low_stock_threshold = decode_policy_value(reader);
    record->policy.safety_stock = decode_policy_value(reader);
    record->policy.backorder_limit = decode_policy_value(reader);
    record->policy.reservation_quantity_max = decode_policy_value(reader);
}

static void decode_stock_change(struct byte_reader *reader, unsigned version,
                                struct inventory_record *record)
{
    int64_t backordered_quantity;
    record->time_us = (int64_t)read_uint64(reader);
    if (version > 1)
        decode_change(reader, &record->crossing, &backordered_quantity, &record->stock_revision,
                      &record->link);
    if (record->type == RECORD_STOCK_POLICY) {
        decode_policy(reader, record);
        return;
    }
    record->sku = decode_text(reader, 1, inventory_sku_bytes_max);
    record->quantity = read_signed(reader);
    reader->failed |= record->quantity == 0;
    if (version == 1) {
        record->stock_revision = read_quantity(reader);
        record->link = decode_link(reader);
    }
    if (record->type == RECORD_STOCK_RECEIVED) {
        reader->failed |= record->quantity < 0;
        return;
    }
    uint8_t reason = read_uint8(reader);
    reader->failed |= reason < ADJUSTMENT_COUNT || reason > ADJUSTMENT_OTHER;
    record->reason = (enum adjustment_reason)reason;
    record->note = decode_text(reader, 0, inventory_note_bytes_max);
}

static void decode_line(struct byte_reader *reader, const struct inventory_record *record,
                        struct inventory_record_lines *lines, size_t at)
{
    struct reservation_line *line = &lines->lines[at];
    bool committed = record->reservation.state == RESERVATION_COMMITTED;
    bool returned = record->change == CHANGE_RETURNED;
    line->sku = decode_text(reader, 1, inventory_sku_bytes_max);
    line->quantity = read_quantity(reader);
    line->committed_quantity = committed ? read_quantity(reader) : 0;
    line->returned_quantity = returned ? read_quantity(reader) : 0;
    lines->returned_now[at] = returned ? read_quantity(reader) : 0;
    if (record->version > 1) {
        decode_change(reader, &lines->crossings[at], &line->backordered_quantity,
                      &line->stock_revision, &lines->links[at]);
    } else {
        line->backordered_quantity = 0;
        line->stock_revision = read_quantity(reader);
        lines->links[at] = decode_link(reader);
        lines->crossings[at] = (struct stock_crossing){0};
    }
    reader->failed |= line->quantity == 0 || line->committed_quantity > line->quantity ||
                      line->backordered_quantity > line->quantity ||
                      line->returned_quantity > line->committed_quantity ||
                      lines->returned_now[at] > line->returned_quantity;
}

static void decode_requested(struct byte_reader *reader, struct inventory_record_lines *lines,
                             struct reservation *reservation)
{
    uint64_t count = read_varint(reader);
    reader->failed |= count < reservation->line_count || count > inventory_lines_max;
    reservation->requested_count = reader->failed ? 0 : (size_t)count;
    reservation->requested = lines->requested;
    for (size_t i = 0; i < reservation->requested_count; i++) {
        lines->requested[i].sku = decode_text(reader, 1, inventory_sku_bytes_max);
        lines->requested[i].quantity = read_quantity(reader);
        reader->failed |= lines->requested[i].quantity == 0;
    }
}

/* A time that is so long after the reservation's creation. */
static int64_t decode_time_after(struct byte_reader *reader, const struct reservation *reservation)
{
    int64_t after_us = read_quantity(reader);
    reader->failed |= after_us > INT64_MAX - reservation->create_time_us;
    return reader->failed ? 0 : reservation->create_time_us + after_us;
}

static void decode_reservation_times(struct byte_reader *reader, struct inventory_record *record)
{
    struct reservation *reservation = &record->reservation;
    reservation->create_time_us = (int64_t)read_uint64(reader);
    reservation->ttl_us = read_quantity(reader);
    reader->failed |= reservation->ttl_us > inventory_ttl_us_max;
    reader->failed |= reservation->create_time_us < 0 ||
                      reservation->create_time_us > INT64_MAX - inventory_ttl_us_max;
    if (reader->failed)
        return;
    reservation->expire_time_us = reservation->create_time_us + reservation->ttl_us;
    if (record->version > 1) {
        int64_t extension_us = read_quantity(reader);
        reader->failed |= extension_us > INT64_MAX - reservation->expire_time_us;
        reservation->expire_time_us += reader->failed ? 0 : extension_us;
    }
    record->time_us = reservation->create_time_us;
    if (record->change == CHANGE_RESERVED && record->version > 1) {
        record->list_links.back_any = read_varint(reader);
        record->list_links.back_order = read_varint(reader);
        record->list_links.back_customer = read_varint(reader);
    }
    if (record->change != CHANGE_RESERVED)
        record->time_us = decode_time_after(reader, reservation);
    reservation->resolve_time_us = reservation->state == RESERVATION_PENDING ? 0 : record->time_us;
    if (record->change == CHANGE_RETURNED)
        reservation->resolve_time_us = decode_time_after(reader, reservation);
}

static void decode_return(struct byte_reader *reader, struct inventory_record *record)
{
    record->return_id = decode_text(reader, 1, inventory_id_bytes_max);
    uint8_t reason = read_uint8(reader);
    reader->failed |= reason < RETURN_CANCELLED || reason > RETURN_OTHER;
    record->return_reason = (enum return_reason)reason;
}

static void decode_change_of(struct byte_reader *reader, struct inventory_record *record)
{
    uint8_t change = read_uint8(reader);
    reader->failed |= record->version > 1
                          ? change >= changes_end || (change & change_mask) > CHANGE_RETURNED
                          : change > CHANGE_EXPIRED; /* of version 1 it is the state */
    record->change =
        reader->failed ? CHANGE_RESERVED : (enum reservation_change)(change & change_mask);
    record->reservation.state = state_after[record->change];
    record->reservation.allow_partial = !reader->failed && (change & flag_allow_partial) != 0;
}

static void decode_reservation(struct byte_reader *reader, struct inventory_record_lines *lines,
                               struct inventory_record *record)
{
    struct reservation *reservation = &record->reservation;
    decode_change_of(reader, record);
    reservation->reservation_id = record->id;
    reservation->order_id = decode_text(reader, 0, inventory_id_bytes_max);
    reservation->customer_id = decode_text(reader, 0, inventory_id_bytes_max);
    decode_reservation_times(reader, record);
    if (record->change == CHANGE_RETURNED)
        decode_return(reader, record);
    uint64_t count = read_varint(reader);
    reader->failed |= count == 0 || count > inventory_lines_max;
    reservation->line_count = reader->failed ? 0 : (size_t)count;
    reservation->lines = lines->lines;
    record->links = lines->links;
    record->crossings = lines->crossings;
    record->returned_now = lines->returned_now;
    for (size_t i = 0; i < reservation->line_count; i++)
        decode_line(reader, record, lines, i);
    if (reservation->allow_partial)
        decode_requested(reader, lines, reservation);
}

/* Type and version by the first byte; false if it is of no record. */
static bool decode_type(uint8_t first, struct inventory_record *record)
{
    *record = (struct inventory_record){.version = first > first_byte_shift ? 2 : 1};
    if (first == first_byte_shelf_place)
        record->type = RECORD_SHELF_PLACE;
    else if (first == first_byte_followed_received)
        record->type = RECORD_STOCK_RECEIVED;
    else if (first == first_byte_followed_adjusted)
        record->type = RECORD_STOCK_ADJUSTED;
    else
        record->type =
            (enum inventory_record_type)(record->version == 2 ? first - first_byte_shift : first);
    return first >= RECORD_STOCK_RECEIVED && first <= first_byte_max;
}

static void decode_followed(struct byte_reader *reader, struct inventory_record *record)
{
    record->shelf.log = decode_text(reader, 1, shelf_log_bytes_max);
    record->shelf.position = read_varint(reader);
    reader->failed |= record->shelf.position == 0;
}

static void decode_place(struct byte_reader *reader, struct inventory_record *record)
{
    record->time_us = (int64_t)read_uint64(reader);
    record->shelf = (struct shelf_place){.log = record->id, .position = read_varint(reader)};
    reader->failed |= record->shelf.position == 0 || record->id.size > shelf_log_bytes_max;
}

bool inventory_record_decode(struct text bytes, struct inventory_record_lines *lines,
                             struct inventory_record *record)
{
    struct byte_reader reader = byte_reader_of(bytes);
    uint8_t first = read_uint8(&reader);
    if (!decode_type(first, record))
        return false;
    record->id = decode_text(&reader, 1, inventory_id_bytes_max);
    if (record->type == RECORD_RESERVATION)
        decode_reservation(&reader, lines, record);
    else if (record->type == RECORD_SHELF_PLACE)
        decode_place(&reader, record);
    else
        decode_stock_change(&reader, record->version, record);
    if (first == first_byte_followed_received || first == first_byte_followed_adjusted)
        decode_followed(&reader, record);
    return !reader.failed && reader.at == reader.end;
}

bool inventory_record_identity(struct text bytes, enum inventory_record_type *type, struct text *id)
{
    struct byte_reader reader = byte_reader_of(bytes);
    struct inventory_record record;
    bool known = decode_type(read_uint8(&reader), &record);
    *type = record.type;
    *id = read_text(&reader);
    return known && !reader.failed;
}

size_t inventory_record_line_count(const struct inventory_record *record)
{
    if (record->type == RECORD_SHELF_PLACE)
        return 0;
    return record->type == RECORD_RESERVATION ? record->reservation.line_count : 1;
}

struct text inventory_record_sku(const struct inventory_record *record, size_t line)
{
    return record->type == RECORD_RESERVATION ? record->reservation.lines[line].sku : record->sku;
}

struct sku_link inventory_record_link(const struct inventory_record *record, size_t line)
{
    return record->type == RECORD_RESERVATION ? record->links[line] : record->link;
}

struct stock_crossing inventory_record_crossing(const struct inventory_record *record, size_t line)
{
    return record->type == RECORD_RESERVATION ? record->crossings[line] : record->crossing;
}

static size_t add_entry(struct stock_entry *entries, size_t count, enum stock_account from,
                        enum stock_account to, int64_t quantity)
{
    if (quantity == 0)
        return count;
    entries[count] =
        (struct stock_entry){.from_account = from, .to_account = to, .quantity = quantity};
    return count + 1;
}

bool inventory_record_touches(const struct inventory_record *record, size_t line)
{
    if (record->type != RECORD_RESERVATION)
        return true;
    switch (record->change) {
    case CHANGE_RESERVED:
    case CHANGE_COMMITTED:
    case CHANGE_ROLLED_BACK:
    case CHANGE_EXPIRED:
        return true;
    case CHANGE_EXTENDED:
        return false;
    case CHANGE_RETAKEN:
        return record->reservation.lines[line].committed_quantity > 0;
    case CHANGE_RETURNED:
        return record->returned_now[line] > 0;
    }
    return false;
}

static size_t reservation_entries(const struct inventory_record *record, size_t at,
                                  struct stock_entry *entries)
{
    const struct reservation_line *line = &record->reservation.lines[at];
    size_t count = 0;
    switch (record->change) {
    case CHANGE_RESERVED:
        return add_entry(entries, 0, STOCK_ACCOUNT_AVAILABLE, STOCK_ACCOUNT_RESERVED,
                         line->quantity);
    case CHANGE_COMMITTED:
        count = add_entry(entries, 0, STOCK_ACCOUNT_RESERVED, STOCK_ACCOUNT_COMMITTED,
                          line->committed_quantity);
        return add_entry(entries, count, STOCK_ACCOUNT_RESERVED, STOCK_ACCOUNT_AVAILABLE,
                         line->quantity - line->committed_quantity);
    case CHANGE_ROLLED_BACK:
    case CHANGE_EXPIRED:
        return add_entry(entries, 0, STOCK_ACCOUNT_RESERVED, STOCK_ACCOUNT_AVAILABLE,
                         line->quantity);
    case CHANGE_EXTENDED:
        return 0;
    case CHANGE_RETAKEN:
        return add_entry(entries, 0, STOCK_ACCOUNT_AVAILABLE, STOCK_ACCOUNT_COMMITTED,
                         line->committed_quantity);
    case CHANGE_RETURNED:
        return add_entry(entries, 0, STOCK_ACCOUNT_RETURNED, STOCK_ACCOUNT_AVAILABLE,
                         record->returned_now[at]);
    }
    return 0;
}

size_t inventory_record_entries(const struct inventory_record *record, size_t line,
                                struct stock_entry entries[2])
{
    switch (record->type) {
    case RECORD_STOCK_RECEIVED:
        return add_entry(entries, 0, STOCK_ACCOUNT_SUPPLY, STOCK_ACCOUNT_AVAILABLE,
                         record->quantity);
    case RECORD_STOCK_ADJUSTED:
        if (record->quantity < 0)
            return add_entry(entries, 0, STOCK_ACCOUNT_AVAILABLE, STOCK_ACCOUNT_ADJUSTMENT,
                             -record->quantity);
        return add_entry(entries, 0, STOCK_ACCOUNT_ADJUSTMENT, STOCK_ACCOUNT_AVAILABLE,
                         record->quantity);
    case RECORD_RESERVATION:
        return reservation_entries(record, line, entries);
    case RECORD_STOCK_POLICY:
    case RECORD_SHELF_PLACE:
        return 0;
    }
    return 0;
}

const char *inventory_record_cause(const struct inventory_record *record)
{
    static const char *const reservation_causes[] = {
        [CHANGE_RESERVED] = "StockReserved",
        [CHANGE_COMMITTED] = "StockCommitted",
        [CHANGE_ROLLED_BACK] = "ReservationRolledBack",
        [CHANGE_EXPIRED] = "ReservationExpired",
        [CHANGE_EXTENDED] = "ReservationExtended",
        [CHANGE_RETAKEN] = "StockCommitted",
        [CHANGE_RETURNED] = "StockReturned",
    };
    switch (record->type) {
    case RECORD_STOCK_RECEIVED:
        return "StockReceived";
    case RECORD_STOCK_ADJUSTED:
        return "StockAdjusted";
    case RECORD_RESERVATION:
        return reservation_causes[record->change];
    case RECORD_STOCK_POLICY:
        return "StockPolicySet";
    case RECORD_SHELF_PLACE:
        break;
    }
    return "";
}

struct text inventory_record_cause_id(const struct inventory_record *record)
{
    bool returned = record->type == RECORD_RESERVATION && record->change == CHANGE_RETURNED;
    return returned ? record->return_id : record->id;
}
