/*
 * Records to bytes and back. Encoding cannot fail; decoding trusts nothing: a state, a count or a
 * length that cannot be is "no record", which recovery reports as damage with its place.
 */
#include "inventory/infrastructure/embedded/inventory_record.h"

#include "platform/base/codec.h"

static void encode_link(struct byte_writer *writer, struct sku_link link)
{
    write_varint(writer, link.previous_position);
    write_varint(writer, link.entry_number);
}

static void encode_stock_change(const struct inventory_record *record, struct byte_writer *writer)
{
    uint64_t sign = record->quantity < 0;
    uint64_t size = sign ? 0 - (uint64_t)record->quantity : (uint64_t)record->quantity;
    write_uint64(writer, (uint64_t)record->time_us);
    write_text(writer, record->sku);
    write_varint(writer, size << 1 | sign);
    write_varint(writer, (uint64_t)record->stock_revision);
    encode_link(writer, record->link);
    if (record->type == RECORD_STOCK_ADJUSTED) {
        write_uint8(writer, (uint8_t)record->reason);
        write_text(writer, record->note);
    }
}

static void encode_reservation(const struct inventory_record *record, struct byte_writer *writer)
{
    const struct reservation *reservation = &record->reservation;
    write_uint8(writer, (uint8_t)reservation->state);
    write_text(writer, reservation->order_id);
    write_text(writer, reservation->customer_id);
    write_uint64(writer, (uint64_t)reservation->create_time_us);
    write_varint(writer, (uint64_t)reservation->ttl_us);
    if (reservation->state != RESERVATION_PENDING)
        write_varint(writer,
                     (uint64_t)(reservation->resolve_time_us - reservation->create_time_us));
    write_varint(writer, reservation->line_count);
    for (size_t i = 0; i < reservation->line_count; i++) {
        const struct reservation_line *line = &reservation->lines[i];
        write_text(writer, line->sku);
        write_varint(writer, (uint64_t)line->quantity);
        if (reservation->state == RESERVATION_COMMITTED)
            write_varint(writer, (uint64_t)line->committed_quantity);
        write_varint(writer, (uint64_t)line->stock_revision);
        encode_link(writer, record->links[i]);
    }
}

size_t inventory_record_encode(const struct inventory_record *record, char *bytes)
{
    struct byte_writer writer = {.at = bytes};
    write_uint8(&writer, (uint8_t)record->type);
    write_text(&writer, record->id);
    if (record->type == RECORD_RESERVATION)
        encode_reservation(record, &writer);
    else
        encode_stock_change(record, &writer);
    return (size_t)(writer.at - bytes);
}

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

static void decode_stock_change(struct byte_reader *reader, struct inventory_record *record)
{
    record->time_us = (int64_t)read_uint64(reader);
    record->sku = decode_text(reader, 1, inventory_sku_bytes_max);
    uint64_t quantity = read_varint(reader);
    record->quantity = quantity & 1 ? -(int64_t)(quantity >> 1) : (int64_t)(quantity >> 1);
    record->stock_revision = read_quantity(reader);
    record->link = decode_link(reader);
    reader->failed |= record->quantity == 0;
    if (record->type == RECORD_STOCK_RECEIVED) {
        reader->failed |= record->quantity < 0;
        return;
    }
    uint8_t reason = read_uint8(reader);
    reader->failed |= reason < ADJUSTMENT_COUNT || reason > ADJUSTMENT_OTHER;
    record->reason = (enum adjustment_reason)reason;
    record->note = decode_text(reader, 0, inventory_note_bytes_max);
}

static void decode_line(struct byte_reader *reader, enum reservation_state state,
                        struct reservation_line *line, struct sku_link *link)
{
    line->sku = decode_text(reader, 1, inventory_sku_bytes_max);
    line->quantity = read_quantity(reader);
    line->committed_quantity = state == RESERVATION_COMMITTED ? read_quantity(reader) : 0;
    line->stock_revision = read_quantity(reader);
    *link = decode_link(reader);
    reader->failed |= line->quantity == 0 || line->committed_quantity > line->quantity;
}

static void decode_reservation(struct byte_reader *reader, struct inventory_record_lines *lines,
                               struct inventory_record *record)
{
    struct reservation *reservation = &record->reservation;
    uint8_t state = read_uint8(reader);
    reader->failed |= state > RESERVATION_EXPIRED;
    reservation->reservation_id = record->id;
    reservation->state = (enum reservation_state)state;
    reservation->order_id = decode_text(reader, 0, inventory_id_bytes_max);
    reservation->customer_id = decode_text(reader, 0, inventory_id_bytes_max);
    reservation->create_time_us = (int64_t)read_uint64(reader);
    reservation->ttl_us = read_quantity(reader);
    reader->failed |= reservation->ttl_us > inventory_ttl_us_max;
    reader->failed |= reservation->create_time_us < 0 ||
                      reservation->create_time_us > INT64_MAX - inventory_ttl_us_max;
    if (reader->failed)
        return;
    reservation->expire_time_us = reservation->create_time_us + reservation->ttl_us;
    reservation->resolve_time_us = 0;
    record->time_us = reservation->create_time_us;
    if (reservation->state != RESERVATION_PENDING) {
        int64_t after_us = read_quantity(reader);
        reader->failed |= after_us > INT64_MAX - reservation->create_time_us;
        if (reader->failed)
            return;
        reservation->resolve_time_us = reservation->create_time_us + after_us;
        record->time_us = reservation->resolve_time_us;
    }
    uint64_t count = read_varint(reader);
    reader->failed |= count == 0 || count > inventory_lines_max;
    reservation->line_count = reader->failed ? 0 : (size_t)count;
    reservation->lines = lines->lines;
    record->links = lines->links;
    for (size_t i = 0; i < reservation->line_count; i++)
        decode_line(reader, reservation->state, &lines->lines[i], &lines->links[i]);
}

bool inventory_record_decode(struct text bytes, struct inventory_record_lines *lines,
                             struct inventory_record *record)
{
    struct byte_reader reader = byte_reader_of(bytes);
    uint8_t type = read_uint8(&reader);
    if (type < RECORD_STOCK_RECEIVED || type > RECORD_RESERVATION)
        return false;
    *record = (struct inventory_record){.type = (enum inventory_record_type)type};
    record->id = decode_text(&reader, 1, inventory_id_bytes_max);
    if (record->type == RECORD_RESERVATION)
        decode_reservation(&reader, lines, record);
    else
        decode_stock_change(&reader, record);
    return !reader.failed && reader.at == reader.end;
}

bool inventory_record_identity(struct text bytes, enum inventory_record_type *type, struct text *id)
{
    struct byte_reader reader = byte_reader_of(bytes);
    uint8_t first = read_uint8(&reader);
    *type = (enum inventory_record_type)first;
    *id = read_text(&reader);
    return !reader.failed && first >= RECORD_STOCK_RECEIVED && first <= RECORD_RESERVATION;
}

size_t inventory_record_line_count(const struct inventory_record *record)
{
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

static size_t add_entry(struct stock_entry *entries, size_t count, enum stock_account from,
                        enum stock_account to, int64_t quantity)
{
    if (quantity == 0)
        return count;
    entries[count] =
        (struct stock_entry){.from_account = from, .to_account = to, .quantity = quantity};
    return count + 1;
}

static size_t reservation_entries(const struct reservation *reservation, size_t at,
                                  struct stock_entry *entries)
{
    const struct reservation_line *line = &reservation->lines[at];
    size_t count = 0;
    switch (reservation->state) {
    case RESERVATION_PENDING:
        return add_entry(entries, 0, STOCK_ACCOUNT_AVAILABLE, STOCK_ACCOUNT_RESERVED,
                         line->quantity);
    case RESERVATION_COMMITTED:
        count = add_entry(entries, 0, STOCK_ACCOUNT_RESERVED, STOCK_ACCOUNT_COMMITTED,
                          line->committed_quantity);
        return add_entry(entries, count, STOCK_ACCOUNT_RESERVED, STOCK_ACCOUNT_AVAILABLE,
                         line->quantity - line->committed_quantity);
    case RESERVATION_ROLLED_BACK:
    case RESERVATION_EXPIRED:
        return add_entry(entries, 0, STOCK_ACCOUNT_RESERVED, STOCK_ACCOUNT_AVAILABLE,
                         line->quantity);
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
        return reservation_entries(&record->reservation, line, entries);
    }
    return 0;
}

const char *inventory_record_cause(const struct inventory_record *record)
{
    static const char *const reservation_causes[] = {
        [RESERVATION_PENDING] = "StockReserved",
        [RESERVATION_COMMITTED] = "StockCommitted",
        [RESERVATION_ROLLED_BACK] = "ReservationRolledBack",
        [RESERVATION_EXPIRED] = "ReservationExpired",
    };
    switch (record->type) {
    case RECORD_STOCK_RECEIVED:
        return "StockReceived";
    case RECORD_STOCK_ADJUSTED:
        return "StockAdjusted";
    case RECORD_RESERVATION:
        return reservation_causes[record->reservation.state];
    }
    return "";
}
