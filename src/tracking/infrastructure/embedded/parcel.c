/*
 * Memory and bytes of parcels. Whatever may fail is asked for before a change: parcel_reserve_fact
 * and parcel_reserve_generation come first, the adding cannot fail.
 */
#include "tracking/infrastructure/embedded/parcel.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "tracking/infrastructure/embedded/tracking_record.h"

#include <string.h>

enum {
    parcel_format = 1,
    fact_bytes_max = 8 + 8 + 8 + 3 + varint_bytes_max,
    generation_bytes_max =
        3 * varint_bytes_max + 1 + 2 * (tracking_id_bytes_max + 1) + 2 + varint_bytes_max,
    header_bytes_max = 64 + 8 * varint_bytes_max,
};

size_t parcel_key_write(char key[parcel_key_bytes_max], struct text carrier,
                        struct text tracking_number)
{
    CHECK(carrier.size <= tracking_carrier_bytes_max &&
          tracking_number.size <= tracking_id_bytes_max);
    memcpy(key, carrier.data, carrier.size);
    key[carrier.size] = '\0';
    memcpy(key + carrier.size + 1, tracking_number.data, tracking_number.size);
    key[carrier.size + 1 + tracking_number.size] = '\0';
    return carrier.size + tracking_number.size + 2;
}

struct parcel *parcel_create(struct text carrier, struct text tracking_number)
{
    char key[parcel_key_bytes_max];
    size_t size = parcel_key_write(key, carrier, tracking_number);
    struct parcel *parcel = memory_allocate_zero(1, sizeof *parcel);
    char *copy = memory_allocate(size);
    if (parcel == NULL || copy == NULL) {
        memory_release(parcel);
        memory_release(copy);
        return NULL;
    }
    memcpy(copy, key, size);
    parcel->key = text_make(copy, size);
    parcel->carrier = text_make(copy, carrier.size);
    parcel->tracking_number = text_make(copy + carrier.size + 1, tracking_number.size);
    parcel->bytes = sizeof *parcel + size + 64; /* the cache's slot, the heap's own */
    return parcel;
}

void parcel_destroy(struct parcel *parcel)
{
    if (parcel == NULL)
        return;
    for (size_t i = 0; i < parcel->generation_count; i++)
        memory_release(parcel->extras[i].texts);
    memory_release(parcel->generations);
    memory_release(parcel->extras);
    memory_release(parcel->facts);
    memory_release((char *)(uintptr_t)parcel->key.data);
    memory_release(parcel);
}

bool parcel_reserve_fact(struct parcel *parcel)
{
    if (parcel->fact_count < parcel->fact_capacity)
        return true;
    size_t capacity = parcel->fact_capacity < 4 ? 4 : parcel->fact_capacity * 3 / 2;
    struct tracking_fact *facts = memory_reallocate(parcel->facts, capacity * sizeof *facts);
    if (facts == NULL)
        return false;
    parcel->bytes += (capacity - parcel->fact_capacity) * sizeof *facts;
    parcel->facts = facts;
    parcel->fact_capacity = capacity;
    return true;
}

static bool reserve_generations(struct parcel *parcel, size_t count)
{
    size_t more = count - parcel->generation_capacity;
    if (count <= parcel->generation_capacity)
        return true;
    struct tracking_generation *generations =
        memory_reallocate(parcel->generations, count * sizeof *generations);
    if (generations == NULL)
        return false;
    parcel->generations = generations;
    struct parcel_generation *extras = memory_reallocate(parcel->extras, count * sizeof *extras);
    if (extras == NULL)
        return false;
    parcel->extras = extras;
    parcel->generation_capacity = count;
    parcel->bytes += more * (sizeof *generations + sizeof *extras);
    return true;
}

char *parcel_reserve_generation(struct parcel *parcel, const struct tracking_generation *wanted,
                                size_t index)
{
    if (!reserve_generations(parcel, index + 1))
        return NULL;
    return memory_allocate(wanted->shipment_id.size + wanted->order_id.size);
}

void parcel_set_generation(struct parcel *parcel, size_t index,
                           const struct tracking_generation *generation, char *texts)
{
    struct tracking_generation *set = &parcel->generations[index];
    struct tracking_generation wanted = *generation; /* its texts may view those that go */
    CHECK(index < parcel->generation_capacity && index <= parcel->generation_count);
    if (wanted.shipment_id.size > 0)
        memcpy(texts, wanted.shipment_id.data, wanted.shipment_id.size);
    if (wanted.order_id.size > 0)
        memcpy(texts + wanted.shipment_id.size, wanted.order_id.data, wanted.order_id.size);
    if (index == parcel->generation_count) {
        parcel->extras[index] = (struct parcel_generation){0};
        parcel->generation_count++;
    } else {
        parcel->bytes -= set->shipment_id.size + set->order_id.size;
        memory_release(parcel->extras[index].texts);
    }
    *set = wanted;
    set->shipment_id = text_make(texts, wanted.shipment_id.size);
    set->order_id = text_make(texts + wanted.shipment_id.size, wanted.order_id.size);
    parcel->extras[index].texts = texts;
    parcel->bytes += set->shipment_id.size + set->order_id.size;
}

void parcel_add_fact(struct parcel *parcel, struct tracking_fact fact)
{
    CHECK(parcel->fact_count < parcel->fact_capacity);
    tracking_fact_relate(parcel->facts, parcel->fact_count, &fact);
    parcel->facts[parcel->fact_count++] = fact;
}

size_t parcel_find_fact(const struct parcel *parcel, uint64_t id_hash)
{
    for (size_t i = parcel->fact_count; i-- > 0;) {
        if (parcel->facts[i].id_hash == id_hash)
            return i;
    }
    return tracking_no_fact;
}

struct tracking_verdict parcel_decide(const struct parcel *parcel, size_t generation_index)
{
    return tracking_decide(parcel->facts, parcel->fact_count, parcel->generations,
                           parcel->generation_count, generation_index);
}

void parcel_describe(const struct parcel *parcel, size_t generation_index,
                     const struct tracking_verdict *verdict, struct tracking *tracking)
{
    const struct tracking_generation *generation = &parcel->generations[generation_index];
    *tracking = (struct tracking){
        .carrier = parcel->carrier,
        .tracking_number = parcel->tracking_number,
        .generation = (int32_t)generation_index + 1,
        .status = verdict->status,
        .sub_status = verdict->sub_status,
        .expected_delivery_time_us = verdict->expected_delivery_time_us,
        .original_expected_delivery_time_us = verdict->original_expected_delivery_time_us,
        .delivered_time_us = verdict->delivered_time_us,
        .event_count = (int64_t)verdict->event_count,
        .revision = parcel->revision,
        .shipment_id = generation->shipment_id,
        .order_id = generation->order_id,
        .start_time_us = generation->start_time_us,
    };
}

/* --- bytes --- */

enum fact_flag {
    FACT_IS_MAPPED = 1,
    FACT_HAS_LOCATION = 2,
    FACT_IS_WITHDRAWN = 4,
    FACT_CORRECTS = 8,
    FACT_HAS_EXPECTED = 16,
    FACT_FLAGS_END = 32,
};

enum index_flag { INDEX_HAS_ORDER = 1, INDEX_IS_TOLD = 2 };

static void encode_fact(const struct tracking_fact *fact, struct byte_writer *writer)
{
    int flags =
        (fact->type_is_mapped ? FACT_IS_MAPPED : 0) | (fact->has_location ? FACT_HAS_LOCATION : 0) |
        (fact->withdrawn ? FACT_IS_WITHDRAWN : 0) | (fact->corrects_hash != 0 ? FACT_CORRECTS : 0) |
        (fact->expected_delivery_time_us != 0 ? FACT_HAS_EXPECTED : 0);
    write_uint64(writer, (uint64_t)fact->occurred_time_us);
    write_uint64(writer, fact->id_hash);
    write_uint8(writer, fact->type);
    write_uint8(writer, fact->sub_status);
    write_uint8(writer, (uint8_t)flags);
    if (fact->corrects_hash != 0)
        write_uint64(writer, fact->corrects_hash);
    if (fact->expected_delivery_time_us != 0)
        write_varint(writer, (uint64_t)fact->expected_delivery_time_us);
}

static struct tracking_fact decode_fact(struct byte_reader *reader)
{
    struct tracking_fact fact = {0};
    fact.occurred_time_us = (int64_t)read_uint64(reader);
    fact.id_hash = read_uint64(reader);
    fact.type = read_uint8(reader);
    fact.sub_status = read_uint8(reader);
    int flags = read_uint8(reader);
    reader->failed |= fact.type >= tracking_event_type_count ||
                      fact.sub_status >= tracking_sub_status_count || flags >= FACT_FLAGS_END ||
                      fact.occurred_time_us < 0;
    fact.type_is_mapped = (flags & FACT_IS_MAPPED) != 0;
    fact.has_location = (flags & FACT_HAS_LOCATION) != 0;
    fact.withdrawn = (flags & FACT_IS_WITHDRAWN) != 0;
    if ((flags & FACT_CORRECTS) != 0)
        fact.corrects_hash = read_uint64(reader);
    if ((flags & FACT_HAS_EXPECTED) != 0)
        fact.expected_delivery_time_us = read_quantity(reader);
    return fact;
}

static void encode_header(const struct parcel *parcel, struct byte_writer *writer)
{
    write_uint8(writer, parcel_format);
    write_varint(writer, parcel->last_position);
    write_varint(writer, (uint64_t)parcel->revision);
    write_varint(writer, (uint64_t)parcel->silence_told_us);
    write_uint8(writer, parcel->has_ping);
    if (parcel->has_ping) {
        write_varint(writer, (uint64_t)parcel->ping_time_us);
        write_uint32(writer, (uint32_t)parcel->ping_latitude_e7);
        write_uint32(writer, (uint32_t)parcel->ping_longitude_e7);
    }
    write_varint(writer, parcel->generation_count);
    write_varint(writer, parcel->fact_count);
}

bool parcel_encode(const struct parcel *parcel, struct buffer *out)
{
    size_t room = header_bytes_max + parcel->generation_count * generation_bytes_max +
                  parcel->fact_count * fact_bytes_max;
    if (!buffer_reserve(out, room))
        return false;
    struct byte_writer writer = {.at = out->data + out->size};
    encode_header(parcel, &writer);
    for (size_t i = 0; i < parcel->generation_count; i++) {
        const struct parcel_index *index = &parcel->extras[i].index;
        tracking_generation_encode(&parcel->generations[i], &writer);
        write_uint8(&writer, index->status);
        write_uint8(&writer, (uint8_t)((index->order ? INDEX_HAS_ORDER : 0) |
                                       (index->told ? INDEX_IS_TOLD : 0)));
        write_varint(&writer, (uint64_t)index->activity_us);
    }
    for (size_t i = 0; i < parcel->fact_count; i++)
        encode_fact(&parcel->facts[i], &writer);
    out->size = (size_t)(writer.at - out->data);
    return true;
}

static bool decode_header(struct byte_reader *reader, struct parcel *parcel, size_t *generations,
                          size_t *facts)
{
    reader->failed |= read_uint8(reader) != parcel_format;
    parcel->last_position = read_varint(reader);
    parcel->revision = read_quantity(reader);
    parcel->silence_told_us = read_quantity(reader);
    parcel->has_ping = read_uint8(reader) != 0;
    if (parcel->has_ping) {
        parcel->ping_time_us = read_quantity(reader);
        parcel->ping_latitude_e7 = (int32_t)read_uint32(reader);
        parcel->ping_longitude_e7 = (int32_t)read_uint32(reader);
    }
    uint64_t generation_count = read_varint(reader);
    uint64_t fact_count = read_varint(reader);
    reader->failed |= generation_count == 0 || generation_count > tracking_generations_max ||
                      fact_count > tracking_events_max;
    *generations = (size_t)generation_count;
    *facts = (size_t)fact_count;
    return !reader->failed;
}

/* False without memory; what does not fit shows in the reader. */
static bool decode_generation(struct byte_reader *reader, struct parcel *parcel, size_t index)
{
    struct tracking_generation generation = {0};
    tracking_generation_decode(reader, &generation);
    struct parcel_index written = {.status = read_uint8(reader)};
    int flags = read_uint8(reader);
    written.order = (flags & INDEX_HAS_ORDER) != 0;
    written.told = (flags & INDEX_IS_TOLD) != 0;
    written.activity_us = read_quantity(reader);
    if (reader->failed)
        return true;
    char *texts = parcel_reserve_generation(parcel, &generation, index);
    if (texts == NULL)
        return false;
    parcel_set_generation(parcel, index, &generation, texts);
    parcel->extras[index].index = written;
    return true;
}

static bool decode_lists(struct byte_reader *reader, struct parcel *parcel, size_t generations,
                         size_t facts)
{
    if (!reserve_generations(parcel, generations))
        return false;
    for (size_t i = 0; i < generations && !reader->failed; i++) {
        if (!decode_generation(reader, parcel, i))
            return false;
    }
    parcel->facts = memory_allocate((facts + 1) * sizeof *parcel->facts);
    if (parcel->facts == NULL)
        return false;
    parcel->fact_capacity = facts + 1;
    parcel->bytes += (facts + 1) * sizeof *parcel->facts;
    for (size_t i = 0; i < facts && !reader->failed; i++)
        parcel->facts[parcel->fact_count++] = decode_fact(reader);
    return true;
}

struct error parcel_decode(struct text key, struct text bytes, struct parcel **parcel)
{
    struct byte_reader reader = byte_reader_of(bytes);
    size_t generations;
    size_t facts;
    bool has_memory = true;
    const char *end = key.size == 0 ? NULL : memchr(key.data, '\0', key.size);
    if (end == NULL || key.data[key.size - 1] != '\0' || end == key.data + key.size - 1 ||
        key.size > parcel_key_bytes_max || end - key.data > tracking_carrier_bytes_max)
        return error_make(ERROR_DAMAGED, "a tracking's key is none");
    struct text carrier = text_make(key.data, (size_t)(end - key.data));
    struct text number = text_make(end + 1, key.size - carrier.size - 2);
    if (number.size > tracking_id_bytes_max)
        return error_make(ERROR_DAMAGED, "a tracking's key is none");
    struct parcel *made = parcel_create(carrier, number);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "tracking");
    if (decode_header(&reader, made, &generations, &facts))
        has_memory = decode_lists(&reader, made, generations, facts);
    if (has_memory && !reader.failed && reader.at == reader.end) {
        *parcel = made;
        return error_none();
    }
    parcel_destroy(made);
    if (!has_memory)
        return error_make(ERROR_OUT_OF_MEMORY, "tracking");
    return error_make(ERROR_DAMAGED, "the summary of %.*s/%.*s is none", (int)carrier.size,
                      carrier.data, (int)number.size, number.data);
}
