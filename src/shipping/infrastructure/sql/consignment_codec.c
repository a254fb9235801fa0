/*
 * Fields in the order of the structs, by platform/base/codec. The writer sums up the room first;
 * the reader believes no count and takes exactly what the writer gives.
 */
#include "shipping/infrastructure/sql/consignment_codec.h"

#include "platform/base/codec.h"

enum {
    version = 1,
    money_bytes = 3 + 8,
    address_bytes = 11 * varint_bytes_max + 1 + 8, /* besides its texts; lines come on top */
    parcel_bytes = 8 + 3 * 4 + money_bytes + varint_bytes_max,
    item_bytes = 3 * varint_bytes_max + 2 * 8 + money_bytes,
    fixed_bytes = 64 + 2 * address_bytes + 2 * money_bytes,
};

/* --- writing --- */

static size_t address_room(const struct shipping_address *address)
{
    size_t room = address_bytes + address->name.size + address->company.size + address->phone.size +
                  address->email.size + address->city.size + address->region.size +
                  address->postal_code.size + address->country_code.size;
    for (size_t i = 0; i < address->line_count; i++)
        room += varint_bytes_max + address->lines[i].size;
    return room;
}

static size_t room_of(const struct consignment *consignment)
{
    const struct shipping_customs *customs = consignment->customs;
    size_t room =
        fixed_bytes + address_room(&consignment->origin) + address_room(&consignment->destination);
    for (size_t i = 0; i < consignment->parcel_count; i++)
        room += parcel_bytes + consignment->parcels[i].reference.size;
    if (customs == NULL)
        return room;
    room += 3 * varint_bytes_max + customs->incoterm.size + customs->contents_type.size;
    for (size_t i = 0; i < customs->item_count; i++)
        room += item_bytes + customs->items[i].description.size + customs->items[i].hs_code.size +
                customs->items[i].origin_country.size;
    return room;
}

static void write_money(struct byte_writer *writer, struct shipping_money money)
{
    write_bytes(writer, money.currency_code, 3);
    write_uint64(writer, (uint64_t)money.amount_minor);
}

static void write_address(struct byte_writer *writer, const struct shipping_address *address)
{
    write_text(writer, address->name);
    write_text(writer, address->company);
    write_text(writer, address->phone);
    write_text(writer, address->email);
    write_varint(writer, address->line_count);
    for (size_t i = 0; i < address->line_count; i++)
        write_text(writer, address->lines[i]);
    write_text(writer, address->city);
    write_text(writer, address->region);
    write_text(writer, address->postal_code);
    write_text(writer, address->country_code);
    write_uint8(writer, address->has_point);
    write_uint32(writer, (uint32_t)address->latitude_e7);
    write_uint32(writer, (uint32_t)address->longitude_e7);
}

static void write_parcel(struct byte_writer *writer, const struct shipping_parcel *parcel)
{
    write_uint64(writer, (uint64_t)parcel->weight_grams);
    write_uint32(writer, (uint32_t)parcel->length_mm);
    write_uint32(writer, (uint32_t)parcel->width_mm);
    write_uint32(writer, (uint32_t)parcel->height_mm);
    write_money(writer, parcel->value);
    write_text(writer, parcel->reference);
}

static void write_customs(struct byte_writer *writer, const struct shipping_customs *customs)
{
    write_text(writer, customs->incoterm);
    write_text(writer, customs->contents_type);
    write_varint(writer, customs->item_count);
    for (size_t i = 0; i < customs->item_count; i++) {
        const struct shipping_customs_item *item = &customs->items[i];
        write_text(writer, item->description);
        write_uint64(writer, (uint64_t)item->quantity);
        write_money(writer, item->value);
        write_uint64(writer, (uint64_t)item->weight_grams);
        write_text(writer, item->hs_code);
        write_text(writer, item->origin_country);
    }
}

struct text consignment_encode(struct arena *arena, const struct consignment *consignment)
{
    char *bytes = arena_allocate(arena, room_of(consignment));
    struct byte_writer writer = {.at = bytes};
    if (bytes == NULL)
        return (struct text){0};
    write_uint8(&writer, version);
    write_address(&writer, &consignment->origin);
    write_address(&writer, &consignment->destination);
    write_varint(&writer, consignment->parcel_count);
    for (size_t i = 0; i < consignment->parcel_count; i++)
        write_parcel(&writer, &consignment->parcels[i]);
    write_uint8(&writer, consignment->customs != NULL);
    if (consignment->customs != NULL)
        write_customs(&writer, consignment->customs);
    write_uint8(&writer, (uint8_t)consignment->direction);
    write_uint8(&writer, consignment->options.signature);
    write_uint8(&writer, consignment->options.saturday);
    write_money(&writer, consignment->options.insured_value);
    write_text(&writer, text_of(consignment->ship_date));
    return text_make(bytes, (size_t)(writer.at - bytes));
}

/* --- reading --- */

static bool read_flag(struct byte_reader *reader)
{
    uint8_t value = read_uint8(reader);
    if (value > 1)
        reader->failed = true;
    return value == 1;
}

/* At most `max`, else the bytes are not ours. */
static size_t read_count(struct byte_reader *reader, size_t max)
{
    uint64_t count = read_varint(reader);
    if (count > max) {
        reader->failed = true;
        return 0;
    }
    return (size_t)count;
}

static struct shipping_money read_money(struct byte_reader *reader)
{
    struct shipping_money money = {0};
    read_bytes(reader, money.currency_code, 3);
    money.amount_minor = (int64_t)read_uint64(reader);
    return money;
}

static void read_address(struct byte_reader *reader, struct shipping_address *address)
{
    address->name = read_text(reader);
    address->company = read_text(reader);
    address->phone = read_text(reader);
    address->email = read_text(reader);
    address->line_count = read_count(reader, shipping_address_lines_max);
    for (size_t i = 0; i < address->line_count; i++)
        address->lines[i] = read_text(reader);
    address->city = read_text(reader);
    address->region = read_text(reader);
    address->postal_code = read_text(reader);
    address->country_code = read_text(reader);
    address->has_point = read_flag(reader);
    address->latitude_e7 = (int32_t)read_uint32(reader);
    address->longitude_e7 = (int32_t)read_uint32(reader);
}

static struct shipping_parcel read_parcel(struct byte_reader *reader)
{
    struct shipping_parcel parcel;
    parcel.weight_grams = (int64_t)read_uint64(reader);
    parcel.length_mm = (int32_t)read_uint32(reader);
    parcel.width_mm = (int32_t)read_uint32(reader);
    parcel.height_mm = (int32_t)read_uint32(reader);
    parcel.value = read_money(reader);
    parcel.reference = read_text(reader);
    return parcel;
}

/* NULL without memory. */
static struct shipping_customs *read_customs(struct byte_reader *reader, struct arena *arena)
{
    struct shipping_customs *customs = arena_allocate_zero(arena, 1, sizeof *customs);
    if (customs == NULL)
        return NULL;
    customs->incoterm = read_text(reader);
    customs->contents_type = read_text(reader);
    customs->item_count = read_count(reader, shipping_customs_items_max);
    struct shipping_customs_item *items =
        arena_allocate_zero(arena, customs->item_count + 1, sizeof *items);
    if (items == NULL)
        return NULL;
    for (size_t i = 0; i < customs->item_count; i++) {
        items[i].description = read_text(reader);
        items[i].quantity = (int64_t)read_uint64(reader);
        items[i].value = read_money(reader);
        items[i].weight_grams = (int64_t)read_uint64(reader);
        items[i].hs_code = read_text(reader);
        items[i].origin_country = read_text(reader);
    }
    customs->items = items;
    return customs;
}

static void read_rest(struct byte_reader *reader, struct consignment *consignment)
{
    consignment->direction = read_flag(reader) ? SHIPPING_RETURN : SHIPPING_OUTBOUND;
    consignment->options.signature = read_flag(reader);
    consignment->options.saturday = read_flag(reader);
    consignment->options.insured_value = read_money(reader);
    struct text date = read_text(reader);
    if (date.size >= sizeof consignment->ship_date)
        reader->failed = true;
    else if (date.size > 0)
        memcpy(consignment->ship_date, date.data, date.size);
    if (reader->at != reader->end)
        reader->failed = true;
}

enum consignment_decoded consignment_decode(struct text bytes, struct arena *arena,
                                            struct consignment *consignment)
{
    struct byte_reader reader = byte_reader_of(bytes);
    *consignment = (struct consignment){0};
    if (read_uint8(&reader) != version)
        return CONSIGNMENT_DAMAGED;
    read_address(&reader, &consignment->origin);
    read_address(&reader, &consignment->destination);
    consignment->parcel_count = read_count(&reader, shipping_parcels_max);
    struct shipping_parcel *parcels =
        arena_allocate_zero(arena, consignment->parcel_count + 1, sizeof *parcels);
    if (parcels == NULL)
        return CONSIGNMENT_NO_MEMORY;
    for (size_t i = 0; i < consignment->parcel_count; i++)
        parcels[i] = read_parcel(&reader);
    consignment->parcels = parcels;
    if (read_flag(&reader)) {
        consignment->customs = read_customs(&reader, arena);
        if (consignment->customs == NULL)
            return CONSIGNMENT_NO_MEMORY;
    }
    read_rest(&reader, consignment);
    return reader.failed ? CONSIGNMENT_DAMAGED : CONSIGNMENT_READ;
}

/* --- numbers --- */

struct text numbers_encode(struct arena *arena, const struct text *numbers, size_t count)
{
    size_t room = 1;
    for (size_t i = 0; i < count; i++)
        room += varint_bytes_max + numbers[i].size;
    char *bytes = arena_allocate(arena, room);
    struct byte_writer writer = {.at = bytes};
    if (bytes == NULL)
        return (struct text){0};
    for (size_t i = 0; i < count; i++)
        write_text(&writer, numbers[i]);
    return text_make(bytes, (size_t)(writer.at - bytes));
}

bool numbers_decode(struct text bytes, struct text *numbers, size_t count)
{
    struct byte_reader reader = byte_reader_of(bytes);
    for (size_t i = 0; i < count; i++)
        numbers[i] = reader.at == reader.end ? (struct text){0} : read_text(&reader);
    return !reader.failed && reader.at == reader.end;
}
