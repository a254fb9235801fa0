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
    [SHIPMENT_CREATED] = {[SHIPMENT_CHANGE_VOIDED] = SHIPMENT_CANCELLED},
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
    if (shipment_next_state(shipment->state, change, next))
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

/* --- hashes: every field with its size or in eight bytes, so that no two contents meet --- */

static void hash_number(SHA256_CTX *context, int64_t number)
{
    char bytes[8];
    struct byte_writer writer = {.at = bytes};
    write_uint64(&writer, (uint64_t)number);
    SHA256_Update(context, bytes, sizeof bytes);
}

static void hash_words(SHA256_CTX *context, struct text text)
{
    hash_number(context, (int64_t)text.size);
    if (text.size > 0)
        SHA256_Update(context, text.data, text.size);
}

static void hash_money(SHA256_CTX *context, struct shipping_money money)
{
    hash_words(context, text_of(money.currency_code));
    hash_number(context, money.currency_code[0] == '\0' ? 0 : money.amount_minor);
}

static void hash_point(SHA256_CTX *context, bool has_point, int32_t latitude_e7,
                       int32_t longitude_e7)
{
    hash_number(context, has_point);
    hash_number(context, has_point ? latitude_e7 : 0);
    hash_number(context, has_point ? longitude_e7 : 0);
}

static void hash_address(SHA256_CTX *context, const struct shipping_address *address)
{
    hash_words(context, address->name);
    hash_words(context, address->company);
    hash_words(context, address->phone);
    hash_words(context, address->email);
    hash_number(context, (int64_t)address->line_count);
    for (size_t i = 0; i < address->line_count; i++)
        hash_words(context, address->lines[i]);
    hash_words(context, address->city);
    hash_words(context, address->region);
    hash_words(context, address->postal_code);
    hash_words(context, address->country_code);
    hash_point(context, address->has_point, address->latitude_e7, address->longitude_e7);
}

static void hash_parcel(SHA256_CTX *context, const struct shipping_parcel *parcel)
{
    hash_number(context, parcel->weight_grams);
    hash_number(context, parcel->length_mm);
    hash_number(context, parcel->width_mm);
    hash_number(context, parcel->height_mm);
    hash_money(context, parcel->value);
    hash_words(context, parcel->reference);
}

static void hash_parcels(SHA256_CTX *context, const struct consignment *consignment)
{
    hash_number(context, (int64_t)consignment->parcel_count);
    for (size_t i = 0; i < consignment->parcel_count; i++)
        hash_parcel(context, &consignment->parcels[i]);
}

static void hash_customs(SHA256_CTX *context, const struct shipping_customs *customs)
{
    hash_number(context, customs != NULL);
    if (customs == NULL)
        return;
    hash_words(context, customs->incoterm);
    hash_words(context, customs->contents_type);
    hash_number(context, (int64_t)customs->item_count);
    for (size_t i = 0; i < customs->item_count; i++) {
        const struct shipping_customs_item *item = &customs->items[i];
        hash_words(context, item->description);
        hash_number(context, item->quantity);
        hash_money(context, item->value);
        hash_number(context, item->weight_grams);
        hash_words(context, item->hs_code);
        hash_words(context, item->origin_country);
    }
}

static void hash_consignment(SHA256_CTX *context, const struct consignment *consignment)
{
    hash_address(context, &consignment->origin);
    hash_address(context, &consignment->destination);
    hash_parcels(context, consignment);
    hash_customs(context, consignment->customs);
    hash_number(context, consignment->direction);
    hash_number(context, consignment->options.signature);
    hash_number(context, consignment->options.saturday);
    hash_money(context, consignment->options.insured_value);
}

static void begin(SHA256_CTX *context, const char *kind)
{
    SHA256_Init(context);
    hash_words(context, text_of(kind));
}

static void take(SHA256_CTX *context, char hash[32])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256_Final(digest, context);
    memcpy(hash, digest, sizeof digest);
}

void shipment_content_hash(const struct shipment_request *request, char hash[32])
{
    SHA256_CTX context;
    begin(&context, "shipment 1");
    hash_words(&context, request->shipment_id);
    hash_words(&context, request->order_id);
    hash_words(&context, request->rate_id);
    hash_words(&context, request->carrier);
    hash_words(&context, request->service_code);
    hash_number(&context, request->rule);
    hash_consignment(&context, &request->consignment);
    hash_words(&context, text_of(request->consignment.ship_date));
    hash_number(&context, request->label_format);
    hash_words(&context, request->reference);
    take(&context, hash);
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

/* The end of a part: into the hash of the whole, its beginning into the facts. */
static void take_part(SHA256_CTX *part, SHA256_CTX *whole, uint32_t *beginning)
{
    char hash[32];
    take(part, hash);
    SHA256_Update(whole, hash, sizeof hash);
    memcpy(beginning, hash, sizeof *beginning);
}

void consignment_facts_of(const struct consignment *consignment, struct consignment_facts *facts)
{
    const struct shipping_options *options = &consignment->options;
    SHA256_CTX whole, part;
    *facts = (struct consignment_facts){0};
    begin(&whole, "consignment 2");
    begin(&part, "origin");
    hash_address(&part, &consignment->origin);
    take_part(&part, &whole, &facts->parts[CONSIGNMENT_ORIGIN]);
    begin(&part, "destination");
    hash_address(&part, &consignment->destination);
    take_part(&part, &whole, &facts->parts[CONSIGNMENT_DESTINATION]);
    begin(&part, "parcels");
    hash_parcels(&part, consignment);
    take_part(&part, &whole, &facts->parts[CONSIGNMENT_PARCELS]);
    if (consignment->customs != NULL) {
        begin(&part, "customs");
        hash_customs(&part, consignment->customs);
        take_part(&part, &whole, &facts->parts[CONSIGNMENT_CUSTOMS]);
    }
    if (options->insured_value.currency_code[0] != '\0') {
        begin(&part, "insured");
        hash_money(&part, options->insured_value);
        take_part(&part, &whole, &facts->parts[CONSIGNMENT_INSURED_VALUE]);
    }
    facts->parts[CONSIGNMENT_DIRECTION] = consignment->direction;
    facts->parts[CONSIGNMENT_SIGNATURE] = options->signature;
    facts->parts[CONSIGNMENT_SATURDAY] = options->saturday;
    hash_number(&whole, consignment->customs != NULL);
    hash_number(&whole, consignment->direction);
    hash_number(&whole, options->signature);
    hash_number(&whole, options->saturday);
    take(&whole, facts->hash);
}

void shipping_scan_hash(struct text carrier, const struct shipping_scan *scan, char hash[32])
{
    SHA256_CTX context;
    begin(&context, "scan 1");
    hash_words(&context, carrier);
    hash_words(&context, scan->tracking_number);
    hash_words(&context, scan->carrier_code);
    hash_words(&context, scan->description);
    hash_number(&context, scan->occurred_time_us);
    hash_number(&context, scan->has_utc_offset);
    hash_number(&context, scan->has_utc_offset ? scan->utc_offset_minutes : 0);
    hash_words(&context, scan->facility);
    hash_words(&context, scan->city);
    hash_words(&context, scan->country_code);
    hash_point(&context, scan->has_point, scan->latitude_e7, scan->longitude_e7);
    take(&context, hash);
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
