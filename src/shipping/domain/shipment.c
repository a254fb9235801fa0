/*
 * The life of a shipment as a table, and what is worked out of its facts. SHA-256 is the one that
 * takes no memory and so cannot fail: OpenSSL calls it deprecated in favour of one that does.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "shipping/domain/shipment.h"

#include "platform/base/codec.h"

#include <openssl/sha.h>
#include <string.h>

/* --- the life --- */

static const enum shipment_state next_states[shipment_state_count][shipment_change_count] = {
    [SHIPMENT_INTENT] =
        {
            [SHIPMENT_CHANGE_SEND] = SHIPMENT_SENT,
            [SHIPMENT_CHANGE_VOIDED] = SHIPMENT_CANCELLED,
        },
    [SHIPMENT_SENT] =
        {
            [SHIPMENT_CHANGE_NOT_DONE] = SHIPMENT_INTENT,
            [SHIPMENT_CHANGE_BOUGHT] = SHIPMENT_CREATED,
            [SHIPMENT_CHANGE_REFUSED] = SHIPMENT_FAILED,
            [SHIPMENT_CHANGE_LOST] = SHIPMENT_UNKNOWN,
        },
    [SHIPMENT_CREATED] =
        {
            [SHIPMENT_CHANGE_VOIDED] = SHIPMENT_CANCELLED,
            [SHIPMENT_CHANGE_VOID_LOST] = SHIPMENT_NEEDS_ATTENTION,
        },
    [SHIPMENT_UNKNOWN] =
        {
            [SHIPMENT_CHANGE_NOT_DONE] = SHIPMENT_INTENT,
            [SHIPMENT_CHANGE_BOUGHT] = SHIPMENT_CREATED,
            [SHIPMENT_CHANGE_REFUSED] = SHIPMENT_FAILED,
            [SHIPMENT_CHANGE_ABANDONED] = SHIPMENT_NEEDS_ATTENTION,
            [SHIPMENT_CHANGE_VOIDED] = SHIPMENT_CANCELLED,
        },
    [SHIPMENT_NEEDS_ATTENTION] =
        {
            [SHIPMENT_CHANGE_BOUGHT] = SHIPMENT_CREATED,
            [SHIPMENT_CHANGE_VOIDED] = SHIPMENT_CANCELLED,
            [SHIPMENT_CHANGE_BUY_AGAIN] = SHIPMENT_INTENT,
        },
};

bool shipment_next_state(enum shipment_state state, enum shipment_change change,
                         enum shipment_state *next)
{
    if (next_states[state][change] == 0)
        return false;
    *next = next_states[state][change];
    return true;
}

const char *shipment_state_name(enum shipment_state state)
{
    static const char *const names[shipment_state_count] = {
        [SHIPMENT_INTENT] = "INTENT",       [SHIPMENT_SENT] = "SENT",
        [SHIPMENT_CREATED] = "CREATED",     [SHIPMENT_FAILED] = "FAILED",
        [SHIPMENT_UNKNOWN] = "UNKNOWN",     [SHIPMENT_NEEDS_ATTENTION] = "NEEDS_ATTENTION",
        [SHIPMENT_CANCELLED] = "CANCELLED",
    };
    return names[state];
}

bool shipment_has_lost_void(const struct shipment *shipment)
{
    return shipment->state == SHIPMENT_NEEDS_ATTENTION && shipment->tracking_number.size > 0;
}

/* Of the whole or of a parcel. */
static bool has_number(const struct shipment *shipment, struct text number)
{
    if (number.size == 0)
        return false;
    bool has = text_equal(shipment->tracking_number, number);
    for (size_t i = 0; i < shipment->consignment.parcel_count && !has; i++)
        has = text_equal(shipment->parcels[i].tracking_number, number);
    return has;
}

static bool is_the_purchase(const struct shipment *shipment, const struct carrier_shipment *bought)
{
    bool is = has_number(shipment, bought->tracking_number);
    for (size_t i = 0; i < bought->parcel_count && !is; i++)
        is = has_number(shipment, bought->parcels[i].tracking_number);
    return is;
}

/* Whether the record shows already what the change would bring. */
static bool is_known(const struct shipment *shipment, enum shipment_change change,
                     const struct carrier_shipment *bought)
{
    switch (change) {
    case SHIPMENT_CHANGE_BOUGHT:
        return is_the_purchase(shipment, bought);
    case SHIPMENT_CHANGE_REFUSED:
        return shipment->state == SHIPMENT_FAILED;
    case SHIPMENT_CHANGE_LOST:
        return shipment->state == SHIPMENT_UNKNOWN || shipment->state == SHIPMENT_NEEDS_ATTENTION;
    case SHIPMENT_CHANGE_ABANDONED:
        return shipment->state == SHIPMENT_NEEDS_ATTENTION;
    case SHIPMENT_CHANGE_SEND:
    case SHIPMENT_CHANGE_NOT_DONE:
    case SHIPMENT_CHANGE_VOIDED:
    case SHIPMENT_CHANGE_BUY_AGAIN:
    case SHIPMENT_CHANGE_VOID_LOST:
        return false;
    }
    return false;
}

enum shipment_news shipment_judge_end(const struct shipment *shipment, uint32_t attempt,
                                      enum shipment_change change,
                                      const struct carrier_shipment *bought,
                                      enum shipment_state *next)
{
    bool is_end = change == SHIPMENT_CHANGE_NOT_DONE || change == SHIPMENT_CHANGE_BOUGHT ||
                  change == SHIPMENT_CHANGE_REFUSED || change == SHIPMENT_CHANGE_LOST ||
                  change == SHIPMENT_CHANGE_ABANDONED;
    if (!is_end || attempt == 0 || attempt > shipment->attempt)
        return SHIPMENT_NEWS_DIFFERS;
    if (attempt < shipment->attempt) {
        bool is_old_news = change == SHIPMENT_CHANGE_NOT_DONE ||
                           (change == SHIPMENT_CHANGE_BOUGHT && is_the_purchase(shipment, bought));
        return is_old_news ? SHIPMENT_NEWS_REPEATS : SHIPMENT_NEWS_DIFFERS;
    }
    if (!shipment_has_lost_void(shipment) && shipment_next_state(shipment->state, change, next))
        return SHIPMENT_NEWS_MOVES;
    return is_known(shipment, change, bought) ? SHIPMENT_NEWS_REPEATS : SHIPMENT_NEWS_DIFFERS;
}

enum shipment_news shipment_judge_resolution(const struct shipment *shipment,
                                             enum shipment_resolution resolution,
                                             struct text number, enum shipment_resolution latest,
                                             enum shipment_state *next)
{
    static const enum shipment_change changes[] = {
        [SHIPMENT_ADOPT] = SHIPMENT_CHANGE_BOUGHT,
        [SHIPMENT_VOID] = SHIPMENT_CHANGE_VOIDED,
        [SHIPMENT_BUY_AGAIN] = SHIPMENT_CHANGE_BUY_AGAIN,
    };
    bool is_open =
        shipment->state == SHIPMENT_UNKNOWN || shipment->state == SHIPMENT_NEEDS_ATTENTION;
    bool is_repeat = false;
    if (shipment_has_lost_void(shipment) && resolution != SHIPMENT_VOID)
        is_open = resolution == SHIPMENT_ADOPT && has_number(shipment, number);
    if (is_open && shipment_next_state(shipment->state, changes[resolution], next))
        return SHIPMENT_NEWS_MOVES;
    switch (resolution) {
    case SHIPMENT_ADOPT:
        is_repeat = shipment->state == SHIPMENT_CREATED && has_number(shipment, number);
        break;
    case SHIPMENT_VOID:
        is_repeat = shipment->state == SHIPMENT_CANCELLED;
        break;
    case SHIPMENT_BUY_AGAIN:
        is_repeat = latest == SHIPMENT_BUY_AGAIN;
        break;
    }
    return is_repeat ? SHIPMENT_NEWS_REPEATS : SHIPMENT_NEWS_DIFFERS;
}

size_t shipment_reference(struct text shipment_id, uint32_t attempt, char *reference)
{
    char digits[10];
    size_t count = 0;
    size_t size = shipment_id.size;
    memcpy(reference, shipment_id.data, shipment_id.size);
    if (attempt <= 1)
        return size;
    for (uint32_t rest = attempt; rest > 0; rest /= 10)
        digits[count++] = (char)('0' + rest % 10);
    reference[size++] = '~';
    while (count > 0)
        reference[size++] = digits[--count];
    return size;
}

int64_t shipment_next_lookup(int64_t sent_time_us, uint32_t lookups, int64_t now_us)
{
    static const int64_t first_us = INT64_C(60) * 1000000;
    static const int64_t distance_us_max = INT64_C(3600) * 1000000;
    int64_t last_us = sent_time_us + shipping_lookup_us_max;
    int64_t distance_us = lookups < 6 ? first_us << lookups : distance_us_max;
    if (lookups == 0)
        return sent_time_us + first_us;
    if (now_us >= last_us)
        return 0;
    return now_us + distance_us < last_us ? now_us + distance_us : last_us;
}

/*
 * --- hashes: every field with its size or in so many bytes, so that no two contents meet. What is
 * stored has eight bytes a number for ever; facts, which live an hour and are worked out with every
 * GetRates, have varints: half as many bytes to hash. ---
 */

/*
 * Most fields are a few bytes: they are gathered, for SHA-256 costs more by the piece than by the
 * byte. Beside it a part of the whole gets a short hash of its own, which need not withstand
 * anybody.
 */
struct hasher {
    SHA256_CTX context;
    bool has_varints;
    uint64_t part;
    size_t size;
    char bytes[512];
};

static uint64_t mixed(uint64_t hash, const char *bytes, size_t size)
{
    uint64_t word = 0;
    memcpy(&word, bytes, size);
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 32;
}

static void flush(struct hasher *hasher)
{
    size_t at = 0;
    for (; hasher->size - at >= sizeof(uint64_t); at += sizeof(uint64_t))
        hasher->part = mixed(hasher->part, hasher->bytes + at, sizeof(uint64_t));
    hasher->part = mixed(hasher->part, hasher->bytes + at, hasher->size - at);
    SHA256_Update(&hasher->context, hasher->bytes, hasher->size);
    hasher->size = 0;
}

static void hash_bytes(struct hasher *hasher, const char *bytes, size_t size)
{
    while (size > sizeof hasher->bytes - hasher->size) {
        size_t room = sizeof hasher->bytes - hasher->size;
        memcpy(hasher->bytes + hasher->size, bytes, room);
        hasher->size += room;
        flush(hasher);
        bytes += room;
        size -= room;
    }
    memcpy(hasher->bytes + hasher->size, bytes, size);
    hasher->size += size;
}

/* A part begins with nothing gathered, so that its short hash depends on nothing before it. */
static uint32_t end_part(struct hasher *hasher)
{
    flush(hasher);
    uint64_t part = hasher->part;
    hasher->part = 0;
    return (uint32_t)(part >> 32); /* to which all bits of the last word have come */
}

static void hash_number(struct hasher *hasher, int64_t number)
{
    char bytes[varint_bytes_max];
    struct byte_writer writer = {.at = bytes};
    if (hasher->has_varints)
        write_varint(&writer, (uint64_t)number);
    else
        write_uint64(&writer, (uint64_t)number);
    hash_bytes(hasher, bytes, (size_t)(writer.at - bytes));
}

static void hash_words(struct hasher *hasher, struct text text)
{
    hash_number(hasher, (int64_t)text.size);
    if (text.size > 0)
        hash_bytes(hasher, text.data, text.size);
}

static void hash_money(struct hasher *hasher, struct shipping_money money)
{
    hash_words(hasher, text_of(money.currency_code));
    hash_number(hasher, money.currency_code[0] == '\0' ? 0 : money.amount_minor);
}

static void hash_point(struct hasher *hasher, bool has_point, int32_t latitude_e7,
                       int32_t longitude_e7)
{
    hash_number(hasher, has_point);
    hash_number(hasher, has_point ? latitude_e7 : 0);
    hash_number(hasher, has_point ? longitude_e7 : 0);
}

static void hash_address(struct hasher *hasher, const struct shipping_address *address)
{
    hash_words(hasher, address->name);
    hash_words(hasher, address->company);
    hash_words(hasher, address->phone);
    hash_words(hasher, address->email);
    hash_number(hasher, (int64_t)address->line_count);
    for (size_t i = 0; i < address->line_count; i++)
        hash_words(hasher, address->lines[i]);
    hash_words(hasher, address->city);
    hash_words(hasher, address->region);
    hash_words(hasher, address->postal_code);
    hash_words(hasher, address->country_code);
    hash_point(hasher, address->has_point, address->latitude_e7, address->longitude_e7);
}

static void hash_parcel(struct hasher *hasher, const struct shipping_parcel *parcel)
{
    hash_number(hasher, parcel->weight_grams);
    hash_number(hasher, parcel->length_mm);
    hash_number(hasher, parcel->width_mm);
    hash_number(hasher, parcel->height_mm);
    hash_money(hasher, parcel->value);
    hash_words(hasher, parcel->reference);
}

static void hash_parcels(struct hasher *hasher, const struct consignment *consignment)
{
    hash_number(hasher, (int64_t)consignment->parcel_count);
    for (size_t i = 0; i < consignment->parcel_count; i++)
        hash_parcel(hasher, &consignment->parcels[i]);
}

static void hash_customs(struct hasher *hasher, const struct shipping_customs *customs)
{
    hash_number(hasher, customs != NULL);
    if (customs == NULL)
        return;
    hash_words(hasher, customs->incoterm);
    hash_words(hasher, customs->contents_type);
    hash_number(hasher, (int64_t)customs->item_count);
    for (size_t i = 0; i < customs->item_count; i++) {
        const struct shipping_customs_item *item = &customs->items[i];
        hash_words(hasher, item->description);
        hash_number(hasher, item->quantity);
        hash_money(hasher, item->value);
        hash_number(hasher, item->weight_grams);
        hash_words(hasher, item->hs_code);
        hash_words(hasher, item->origin_country);
    }
}

static void hash_consignment(struct hasher *hasher, const struct consignment *consignment)
{
    hash_address(hasher, &consignment->origin);
    hash_address(hasher, &consignment->destination);
    hash_parcels(hasher, consignment);
    hash_customs(hasher, consignment->customs);
    hash_number(hasher, consignment->direction);
    hash_number(hasher, consignment->options.signature);
    hash_number(hasher, consignment->options.saturday);
    hash_money(hasher, consignment->options.insured_value);
}

static void begin(struct hasher *hasher, const char *kind)
{
    SHA256_Init(&hasher->context);
    hasher->has_varints = false;
    hasher->part = 0;
    hasher->size = 0;
    hash_words(hasher, text_of(kind));
}

static void take(struct hasher *hasher, char hash[32])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    flush(hasher);
    SHA256_Final(digest, &hasher->context);
    memcpy(hash, digest, sizeof digest);
}

void shipment_content_hash(const struct shipment_request *request, char hash[32])
{
    struct hasher hasher;
    begin(&hasher, "shipment 1");
    hash_words(&hasher, request->shipment_id);
    hash_words(&hasher, request->order_id);
    hash_words(&hasher, request->rate_id);
    hash_words(&hasher, request->carrier);
    hash_words(&hasher, request->service_code);
    hash_number(&hasher, request->rule);
    hash_consignment(&hasher, &request->consignment);
    hash_words(&hasher, text_of(request->consignment.ship_date));
    hash_number(&hasher, request->label_format);
    hash_words(&hasher, request->reference);
    take(&hasher, hash);
}

const char *consignment_part_name(enum consignment_part part)
{
    static const char *const names[consignment_part_count] = {
        [CONSIGNMENT_ORIGIN] = "origin",
        [CONSIGNMENT_DESTINATION] = "destination",
        [CONSIGNMENT_PARCELS] = "parcels",
        [CONSIGNMENT_CUSTOMS] = "customs",
        [CONSIGNMENT_DIRECTION] = "direction",
        [CONSIGNMENT_SIGNATURE] = "options.signature",
        [CONSIGNMENT_SATURDAY] = "options.saturday",
        [CONSIGNMENT_INSURED_VALUE] = "options.insured_value",
    };
    return names[part];
}

void consignment_facts_of(const struct consignment *consignment, struct consignment_facts *facts)
{
    const struct shipping_options *options = &consignment->options;
    struct hasher hasher;
    begin(&hasher, "consignment 2");
    (void)end_part(&hasher);
    hasher.has_varints = true;
    hash_address(&hasher, &consignment->origin);
    facts->parts[CONSIGNMENT_ORIGIN] = end_part(&hasher);
    hash_address(&hasher, &consignment->destination);
    facts->parts[CONSIGNMENT_DESTINATION] = end_part(&hasher);
    hash_parcels(&hasher, consignment);
    facts->parts[CONSIGNMENT_PARCELS] = end_part(&hasher);
    hash_customs(&hasher, consignment->customs);
    facts->parts[CONSIGNMENT_CUSTOMS] = end_part(&hasher);
    hash_money(&hasher, options->insured_value);
    facts->parts[CONSIGNMENT_INSURED_VALUE] = end_part(&hasher);
    facts->parts[CONSIGNMENT_DIRECTION] = consignment->direction;
    facts->parts[CONSIGNMENT_SIGNATURE] = options->signature;
    facts->parts[CONSIGNMENT_SATURDAY] = options->saturday;
    hash_number(&hasher, consignment->direction);
    hash_number(&hasher, options->signature);
    hash_number(&hasher, options->saturday);
    take(&hasher, facts->hash);
}

void shipping_scan_hash(struct text carrier, const struct shipping_scan *scan, char hash[32])
{
    struct hasher hasher;
    begin(&hasher, "scan 1");
    hash_words(&hasher, carrier);
    hash_words(&hasher, scan->tracking_number);
    hash_words(&hasher, scan->carrier_code);
    hash_words(&hasher, scan->description);
    hash_number(&hasher, scan->occurred_time_us);
    hash_number(&hasher, scan->has_utc_offset);
    hash_number(&hasher, scan->has_utc_offset ? scan->utc_offset_minutes : 0);
    hash_words(&hasher, scan->facility);
    hash_words(&hasher, scan->city);
    hash_words(&hasher, scan->country_code);
    hash_point(&hasher, scan->has_point, scan->latitude_e7, scan->longitude_e7);
    take(&hasher, hash);
}

/* --- borders --- */

/* Regulation (EU) No 952/2013, article 4: the members of 2020 and later, and Monaco. */
static bool is_in_eu_customs_union(struct text country)
{
    static const char codes[] = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MC MT NL"
                                " PL PT RO SE SI SK ";
    if (country.size != 2)
        return false;
    for (const char *at = codes; *at != '\0'; at += 3) {
        if (memcmp(at, country.data, 2) == 0)
            return true;
    }
    return false;
}

bool customs_needed(struct text origin_country, struct text destination_country)
{
    return !text_equal(origin_country, destination_country) &&
           !(is_in_eu_customs_union(origin_country) && is_in_eu_customs_union(destination_country));
}
