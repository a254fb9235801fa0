/*
 * One walk over the record serves for writing and for reading: each field is told once, in one
 * order, so the two cannot differ. Writing goes into a buffer with a limit; reading stops at the
 * first thing that does not fit.
 */
#include "fulfillment/infrastructure/sql/order_record.h"

#include "platform/base/buffer.h"
#include "platform/base/codec.h"

#include <openssl/evp.h>

enum { record_version = 1, record_bytes_max = 4 * 1024 * 1024, array_count_max = 1000 };

struct walk {
    bool is_writing;
    struct buffer out;
    struct byte_reader in;
    struct arena *arena;
    bool failed;
};

/* --- fields --- */

static void walk_count(struct walk *walk, uint64_t *value)
{
    char bytes[varint_bytes_max];
    struct byte_writer writer = {.at = bytes};
    if (!walk->is_writing) {
        *value = read_varint(&walk->in);
        walk->failed = walk->failed || walk->in.failed;
        return;
    }
    write_varint(&writer, *value);
    walk->failed = walk->failed || !buffer_append(&walk->out, bytes, (size_t)(writer.at - bytes));
}

/* Signed: zigzag, so that small negative ones are short, too. */
static void walk_number(struct walk *walk, int64_t *value)
{
    uint64_t folded = ((uint64_t)*value << 1) ^ (uint64_t)(*value >> 63);
    walk_count(walk, &folded);
    if (!walk->is_writing)
        *value = (int64_t)(folded >> 1) ^ -(int64_t)(folded & 1);
}

static void walk_small(struct walk *walk, uint32_t *value)
{
    uint64_t wide = *value;
    walk_count(walk, &wide);
    walk->failed = walk->failed || wide > UINT32_MAX;
    *value = (uint32_t)wide;
}

static void walk_flag(struct walk *walk, bool *value)
{
    uint64_t wide = *value;
    walk_count(walk, &wide);
    *value = wide != 0;
}

/* 0 to max. */
static int walk_choice(struct walk *walk, int value, int max)
{
    uint64_t wide = (uint64_t)value;
    walk_count(walk, &wide);
    walk->failed = walk->failed || wide > (uint64_t)max;
    return walk->failed ? 0 : (int)wide;
}

static void walk_text(struct walk *walk, struct text *text)
{
    uint64_t size = text->size;
    walk_count(walk, &size);
    if (walk->is_writing) {
        walk->failed = walk->failed || !buffer_append_text(&walk->out, *text);
        return;
    }
    *text = (struct text){0};
    if (walk->failed || size > (uint64_t)(walk->in.end - walk->in.at)) {
        walk->failed = true;
        return;
    }
    *text = text_make(walk->in.at, (size_t)size);
    walk->in.at += size;
}

static void walk_currency(struct walk *walk, char currency[4])
{
    struct text text = text_of(currency);
    walk_text(walk, &text);
    if (walk->is_writing)
        return;
    walk->failed = walk->failed || text.size > 3;
    memset(currency, 0, 4);
    if (!walk->failed && text.size > 0)
        memcpy(currency, text.data, text.size);
}

/* Reading: room for the elements, all zero. */
static void *walk_array(struct walk *walk, void *array, size_t *count, size_t size)
{
    uint64_t wide = *count;
    walk_count(walk, &wide);
    if (walk->is_writing)
        return array;
    walk->failed = walk->failed || wide > array_count_max;
    *count = walk->failed ? 0 : (size_t)wide;
    void *made = arena_allocate_zero(walk->arena, *count + 1, size);
    if (made == NULL) {
        walk->failed = true;
        *count = 0;
    }
    return made;
}

static void walk_texts(struct walk *walk, struct text **texts, size_t *count)
{
    *texts = walk_array(walk, *texts, count, sizeof **texts);
    for (size_t i = 0; i < *count; i++)
        walk_text(walk, &(*texts)[i]);
}

static void walk_address(struct walk *walk, struct order_address *address)
{
    struct text *lines = (struct text *)(uintptr_t)address->lines;
    int64_t latitude = address->latitude_e7;
    int64_t longitude = address->longitude_e7;
    walk_text(walk, &address->name);
    walk_text(walk, &address->company);
    walk_text(walk, &address->phone);
    walk_text(walk, &address->email);
    walk_texts(walk, &lines, &address->line_count);
    address->lines = lines;
    walk_text(walk, &address->city);
    walk_text(walk, &address->region);
    walk_text(walk, &address->postal_code);
    walk_text(walk, &address->country_code);
    walk_flag(walk, &address->has_point);
    walk_number(walk, &latitude);
    walk_number(walk, &longitude);
    address->latitude_e7 = (int32_t)latitude;
    address->longitude_e7 = (int32_t)longitude;
}

/* --- the order --- */

/* What PromiseOrder was given: also what makes two of them the same. */
static void walk_request(struct walk *walk, struct order *order)
{
    walk_text(walk, &order->customer_id);
    order->lines = walk_array(walk, order->lines, &order->line_count, sizeof *order->lines);
    for (size_t i = 0; i < order->line_count; i++) {
        walk_text(walk, &order->lines[i].sku);
        walk_number(walk, &order->lines[i].quantity);
        walk_number(walk, &order->lines[i].unit_value_minor);
    }
    walk_address(walk, &order->destination);
    walk_currency(walk, order->currency);
    order->rule = (enum order_rule)walk_choice(walk, (int)order->rule, ORDER_FASTEST);
    walk_texts(walk, &order->carriers, &order->carrier_count);
    walk_text(walk, &order->incoterm);
    walk_number(walk, &order->ttl_us);
}

static void walk_part_lines(struct walk *walk, struct order_part_line **lines, size_t *count)
{
    *lines = walk_array(walk, *lines, count, sizeof **lines);
    for (size_t i = 0; i < *count; i++) {
        walk_text(walk, &(*lines)[i].sku);
        walk_number(walk, &(*lines)[i].quantity);
        walk_number(walk, &(*lines)[i].shipped_quantity);
    }
}

static void walk_parcels(struct walk *walk, struct order_part *part)
{
    part->parcels = walk_array(walk, part->parcels, &part->parcel_count, sizeof *part->parcels);
    for (size_t i = 0; i < part->parcel_count; i++) {
        struct order_parcel *parcel = &part->parcels[i];
        walk_text(walk, &parcel->tracking_number);
        walk_flag(walk, &parcel->is_registered);
        parcel->status =
            (enum order_parcel_status)walk_choice(walk, (int)parcel->status, PARCEL_RETURNED);
        walk_number(walk, &parcel->delivered_time_us);
    }
}

static void walk_part(struct walk *walk, struct order_part *part)
{
    walk_text(walk, &part->warehouse_id);
    walk_part_lines(walk, &part->lines, &part->line_count);
    walk_flag(walk, &part->is_located);
    walk_address(walk, &part->origin);
    walk_number(walk, &part->handling_minor);
    walk_small(walk, &part->shipment_attempt);
    walk_text(walk, &part->carrier);
    walk_text(walk, &part->service_code);
    walk_number(walk, &part->amount_minor);
    walk_number(walk, &part->estimated_delivery_time_us);
    walk_texts(walk, &part->tried_carriers, &part->tried_count);
    part->label = (enum order_label)walk_choice(walk, (int)part->label, LABEL_LOST);
    walk_currency(walk, part->charged.currency);
    walk_number(walk, &part->charged.amount_minor);
    walk_parcels(walk, part);
    walk_flag(walk, &part->is_shipped);
    walk_flag(walk, &part->shorts_are_given);
}

static void walk_facts(struct walk *walk, struct order_line *line)
{
    walk_flag(walk, &line->is_described);
    walk_text(walk, &line->name);
    walk_number(walk, &line->weight_grams);
    walk_text(walk, &line->hs_code);
    walk_text(walk, &line->origin_country);
}

static void walk_process(struct walk *walk, struct order *order)
{
    order->goal = (enum order_goal)walk_choice(walk, (int)order->goal, GOAL_CANCEL);
    order->step = (enum order_step)walk_choice(walk, (int)order->step, order_step_count - 1);
    walk_small(walk, &order->tries);
    walk_flag(walk, &order->pivot_is_passed);
    walk_flag(walk, &order->must_reserve);
    walk_small(walk, &order->reservation_attempt);
    walk_small(walk, &order->allocation_attempt);
    walk_small(walk, &order->shipment_attempts);
    walk_number(walk, &order->hold_until_us);
    walk_number(walk, &order->give_up_time_us);
    walk_small(walk, &order->milestones);
}

static void walk_order(struct walk *walk, struct order *order)
{
    uint64_t version = record_version;
    walk_count(walk, &version);
    walk->failed = walk->failed || version != record_version;
    walk_text(walk, &order->order_id);
    walk_request(walk, order);
    for (size_t i = 0; i < order->line_count; i++)
        walk_facts(walk, &order->lines[i]);
    order->parts = walk_array(walk, order->parts, &order->part_count, sizeof *order->parts);
    for (size_t i = 0; i < order->part_count; i++)
        walk_part(walk, &order->parts[i]);
    walk_number(walk, &order->splits_minor);
    walk_number(walk, &order->goods_minor);
    walk_number(walk, &order->shipping_minor);
    walk_number(walk, &order->handling_minor);
    walk_number(walk, &order->landed_minor);
    walk_text(walk, &order->attention_reason);
    walk_text(walk, &order->cancel_reason);
    walk_process(walk, order);
}

static void walk_signal(struct walk *walk, struct order_signal *signal)
{
    uint64_t version = record_version;
    struct order_part_line *lines = (struct order_part_line *)(uintptr_t)signal->lines;
    walk_count(walk, &version);
    walk->failed = walk->failed || version != record_version;
    signal->kind =
        (enum order_signal_kind)walk_choice(walk, (int)signal->kind, SIGNAL_PARCEL_RETURNED);
    walk_text(walk, &signal->allocation_id);
    walk_text(walk, &signal->warehouse_id);
    walk_part_lines(walk, &lines, &signal->line_count);
    signal->lines = lines;
    walk_text(walk, &signal->carrier);
    walk_text(walk, &signal->tracking_number);
    walk_number(walk, &signal->time_us);
}

/* --- there and back --- */

static struct walk walk_to_write(struct arena *arena)
{
    struct walk walk = {.is_writing = true, .arena = arena};
    buffer_init(&walk.out, record_bytes_max);
    return walk;
}

static struct text walk_written(struct walk *walk)
{
    struct text bytes = {0};
    if (!walk->failed)
        bytes = arena_copy_text(walk->arena, buffer_text(&walk->out));
    buffer_deinit(&walk->out);
    return bytes;
}

struct text order_record_pack(struct arena *arena, struct order *order)
{
    struct walk walk = walk_to_write(arena);
    walk_order(&walk, order);
    return walk_written(&walk);
}

bool order_record_unpack(struct arena *arena, struct text bytes, struct order *order)
{
    struct walk walk = {.in = byte_reader_of(bytes), .arena = arena};
    *order = (struct order){0};
    walk_order(&walk, order);
    return !walk.failed && walk.in.at == walk.in.end;
}

struct text order_request_digest(struct arena *arena, const struct order *request)
{
    struct walk walk = walk_to_write(arena);
    struct order copy = *request; /* writing changes nothing of it */
    walk_request(&walk, &copy);
    struct text bytes = walk_written(&walk);
    unsigned char *digest = arena_allocate_zero(arena, 1, EVP_MAX_MD_SIZE);
    unsigned size = 0;
    if (bytes.data == NULL || digest == NULL ||
        EVP_Digest(bytes.data, bytes.size, digest, &size, EVP_sha256(), NULL) != 1)
        return (struct text){0};
    return text_make(digest, size);
}

struct text order_signal_pack(struct arena *arena, const struct order_signal *signal)
{
    struct walk walk = walk_to_write(arena);
    struct order_signal copy = *signal;
    walk_signal(&walk, &copy);
    return walk_written(&walk);
}

bool order_signal_unpack(struct arena *arena, struct text bytes, struct order_signal *signal)
{
    struct walk walk = {.in = byte_reader_of(bytes), .arena = arena};
    *signal = (struct order_signal){0};
    walk_signal(&walk, signal);
    return !walk.failed && walk.in.at == walk.in.end;
}
