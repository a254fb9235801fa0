/* The rules of fields, in one place, and one table of what each call is checked by. */
#include "shipping/application/field_checks.h"

#include "platform/base/civil_date.h"
#include "shipping/application/service_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char id_rule[] = "must be 1 to 64 characters of A-Z a-z 0-9 . _ : -";
static const char optional_id_rule[] = "must be empty or 1 to 64 characters of A-Z a-z 0-9 . _ : -";
static const char number_rule[] = "must be 1 to 64 letters and digits";
static const char country_rule[] = "must be two capital letters (ISO 3166-1)";
static const char amount_rule[] = "must be 0 to 1000000000000";
static const char length_rule[] = "must be 0 to 100000";
static const char choice_rule[] = "exactly one of rate_id, carrier with service_code, and rule";
static const char page_rule[] = "must be 0 to 1000";

enum { path_size = 160 };

/* --- single values: each path is a format with its arguments, put together only where needed ---
 */

/* Adds a violation in a function whose last parameters are `path` and its arguments. */
#define ADD(violations, rule, path)                                                                \
    do {                                                                                           \
        va_list arguments;                                                                         \
        va_start(arguments, path);                                                                 \
        violations_add_list(violations, rule, path, arguments);                                    \
        va_end(arguments);                                                                         \
    } while (0)

static bool is_letters_and_digits(struct text text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
            return false;
    }
    return true;
}

static bool is_id(struct text id)
{
    return id.size <= shipping_id_bytes_max && text_is_identifier(id);
}

static void check_id(struct violations *violations, struct text id, const char *path)
{
    if (id.size == 0 || !is_id(id))
        violations_add(violations, id_rule, "%s", path);
}

static void check_optional_id(struct violations *violations, struct text id, const char *path)
{
    if (!is_id(id))
        violations_add(violations, optional_id_rule, "%s", path);
}

__attribute__((format(printf, 4, 5))) static void check_words(struct violations *violations,
                                                              struct text words, size_t size_max,
                                                              const char *path, ...)
{
    const char *rule = size_max <= 64 ? "must be UTF-8 without control characters, at most 64 bytes"
                       : size_max <= 128
                           ? "must be UTF-8 without control characters, at most 128 bytes"
                           : "must be UTF-8 without control characters, at most 256 bytes";
    if (words.size > size_max || text_has_control(words) || !text_is_utf8(words))
        ADD(violations, rule, path);
}

__attribute__((format(printf, 6, 7))) static void check_range(struct violations *violations,
                                                              int64_t value, int64_t minimum,
                                                              int64_t maximum, const char *rule,
                                                              const char *path, ...)
{
    if (value < minimum || value > maximum)
        ADD(violations, rule, path);
}

static void check_number(struct violations *violations, struct text number, const char *path)
{
    if (number.size == 0 || number.size > shipping_tracking_number_bytes_max ||
        !is_letters_and_digits(number))
        violations_add(violations, number_rule, "%s", path);
}

static bool is_country(struct text code)
{
    return code.size == 2 && code.data[0] >= 'A' && code.data[0] <= 'Z' && code.data[1] >= 'A' &&
           code.data[1] <= 'Z';
}

/* The currency has been checked where it was read. */
__attribute__((format(printf, 3, 4))) static void check_amount(struct violations *violations,
                                                               struct shipping_money money,
                                                               const char *path, ...)
{
    if (money.currency_code[0] != '\0' &&
        (money.amount_minor < 0 || money.amount_minor > shipping_amount_minor_max))
        ADD(violations, amount_rule, path);
}

bool field_is_date(struct text date)
{
    int64_t day;
    return civil_date_parse(date, &day) && civil_date_of_day(day).year >= 2000;
}

/* --- what is to be carried --- */

static void check_point(struct violations *violations, const struct shipping_address *address,
                        const char *path)
{
    if (!address->has_point)
        return;
    if (address->latitude_e7 < -900000000 || address->latitude_e7 > 900000000)
        violations_add(violations, "must be -900000000 to 900000000", "%s.point.latitude_e7", path);
    if (address->longitude_e7 < -1800000000 || address->longitude_e7 > 1800000000)
        violations_add(violations, "must be -1800000000 to 1800000000", "%s.point.longitude_e7",
                       path);
}

/* `for_label`: somebody must be able to find the door. */
static void check_address(struct violations *violations, const struct shipping_address *address,
                          bool for_label, const char *path)
{
    const struct {
        struct text text;
        const char *name;
    } fields[] = {
        {address->name, "name"},
        {address->company, "company"},
        {address->phone, "phone"},
        {address->email, "email"},
        {address->city, "city"},
        {address->region, "region"},
        {address->postal_code, "postal_code"},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        check_words(violations, fields[i].text, shipping_text_bytes_max, "%s.%s", path,
                    fields[i].name);
    for (size_t i = 0; i < address->line_count; i++)
        check_words(violations, address->lines[i], shipping_text_bytes_max, "%s.lines[%zu]", path,
                    i);
    if (!is_country(address->country_code))
        violations_add(violations, country_rule, "%s.country_code", path);
    if (for_label && address->name.size == 0 && address->company.size == 0)
        violations_add(violations, "name or company must be given", "%s.name", path);
    if (for_label && (address->line_count == 0 || address->lines[0].size == 0))
        violations_add(violations, "must have at least one line", "%s.lines", path);
    if (for_label ? address->city.size == 0
                  : address->city.size == 0 && address->postal_code.size == 0)
        violations_add(violations,
                       for_label ? "must not be empty" : "city or postal_code is needed", "%s.city",
                       path);
    check_point(violations, address, path);
}

static void check_parcel(struct violations *violations, const struct shipping_parcel *parcel,
                         size_t index)
{
    check_range(violations, parcel->weight_grams, 1, shipping_weight_grams_max,
                "must be 1 to 1000000000", "parcels[%zu].weight_grams", index);
    const struct {
        int32_t value;
        const char *name;
    } lengths[] = {
        {parcel->length_mm, "length_mm"},
        {parcel->width_mm, "width_mm"},
        {parcel->height_mm, "height_mm"},
    };
    size_t measured = 0;
    for (size_t i = 0; i < 3; i++) {
        check_range(violations, lengths[i].value, 0, shipping_length_mm_max, length_rule,
                    "parcels[%zu].%s", index, lengths[i].name);
        measured += lengths[i].value != 0;
    }
    if (measured != 0 && measured != 3)
        violations_add(violations, "length, width and height: all three or none",
                       "parcels[%zu].length_mm", index);
    check_amount(violations, parcel->value, "parcels[%zu].value.amount_minor", index);
    check_words(violations, parcel->reference, shipping_text_bytes_max, "parcels[%zu].reference",
                index);
}

static bool is_one_of(struct text text, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (text_equals_string(text, *names))
            return true;
    }
    return false;
}

/* As "6109.10.0012": HS code and national digits, with or without its points. */
static bool is_tariff_number(struct text code)
{
    for (size_t i = 0; i < code.size; i++) {
        if (code.data[i] != '.' && (code.data[i] < '0' || code.data[i] > '9'))
            return false;
    }
    return code.size <= 16;
}

static void check_customs_item(struct violations *violations,
                               const struct shipping_customs_item *item, size_t index)
{
    if (item->description.size == 0)
        violations_add(violations, "must not be empty", "customs.items[%zu].description", index);
    check_words(violations, item->description, shipping_description_bytes_max,
                "customs.items[%zu].description", index);
    check_range(violations, item->quantity, 1, shipping_quantity_max, "must be 1 to 1000000000",
                "customs.items[%zu].quantity", index);
    if (item->value.currency_code[0] == '\0')
        violations_add(violations, "must be given: customs ask for it", "customs.items[%zu].value",
                       index);
    check_amount(violations, item->value, "customs.items[%zu].value.amount_minor", index);
    check_range(violations, item->weight_grams, 0, shipping_weight_grams_max,
                "must be 0 to 1000000000", "customs.items[%zu].weight_grams", index);
    if (!is_tariff_number(item->hs_code))
        violations_add(violations, "must be at most 16 digits and dots",
                       "customs.items[%zu].hs_code", index);
    if (!is_country(item->origin_country))
        violations_add(violations, country_rule, "customs.items[%zu].origin_country", index);
}

static bool has_range(const struct shipping_customs_item *item)
{
    return item->quantity >= 1 && item->quantity <= shipping_quantity_max &&
           item->value.amount_minor >= 0 && item->value.amount_minor <= shipping_amount_minor_max;
}

/*
 * Carriers declare one sum: in one currency, and one that can be written. What is out of its own
 * range has been said, and is left out.
 */
static void check_customs_value(struct violations *violations,
                                const struct shipping_customs *customs)
{
    __int128 sum = 0;
    for (size_t i = 0; i < customs->item_count; i++) {
        const struct shipping_customs_item *item = &customs->items[i];
        if (has_range(item))
            sum += (__int128)item->value.amount_minor * item->quantity;
        if (strcmp(item->value.currency_code, customs->items[0].value.currency_code) != 0)
            violations_add(violations, "must be in the currency of the first item",
                           "customs.items[%zu].value.currency_code", i);
    }
    if (sum > (__int128)1000 * shipping_amount_minor_max)
        violations_add(violations, "all items together must be worth at most 1000000000000000",
                       "customs.items");
}

/* Customs given in the message are the reader's own struct: defaults go into it. */
static void check_customs(struct violations *violations, struct consignment *consignment)
{
    static const char *const incoterms[] = {"EXW", "FCA", "FAS", "FOB", "CFR", "CIF",
                                            "CPT", "CIP", "DAP", "DPU", "DDP", NULL};
    static const char *const contents[] = {"MERCHANDISE", "DOCUMENTS", "GIFT",
                                           "SAMPLE",      "RETURN",    NULL};
    struct shipping_customs *customs = (struct shipping_customs *)(uintptr_t)consignment->customs;
    struct text from = consignment->origin.country_code;
    struct text to = consignment->destination.country_code;
    if (customs == NULL) {
        if (is_country(from) && is_country(to) && customs_needed(from, to))
            violations_add(violations, "must be given: this border asks for customs", "customs");
        return;
    }
    if (customs->incoterm.size == 0)
        customs->incoterm = text_of("DAP");
    if (customs->contents_type.size == 0)
        customs->contents_type = text_of("MERCHANDISE");
    if (!is_one_of(customs->incoterm, incoterms))
        violations_add(violations, "must be a rule of Incoterms 2020, or empty for DAP",
                       "customs.incoterm");
    if (!is_one_of(customs->contents_type, contents))
        violations_add(violations,
                       "must be MERCHANDISE, DOCUMENTS, GIFT, SAMPLE or RETURN, or empty",
                       "customs.contents_type");
    if (customs->item_count < 1)
        violations_add(violations, "must have 1 to 100 items", "customs.items");
    for (size_t i = 0; i < customs->item_count; i++)
        check_customs_item(violations, &customs->items[i], i);
    check_customs_value(violations, customs);
}

static void check_consignment(struct violations *violations, struct consignment *consignment,
                              bool for_label)
{
    check_address(violations, &consignment->origin, for_label, "origin");
    check_address(violations, &consignment->destination, for_label, "destination");
    if (consignment->parcel_count < 1 || consignment->parcel_count > shipping_parcels_max)
        violations_add(violations, "must have 1 to 20 parcels", "parcels");
    for (size_t i = 0; i < consignment->parcel_count; i++)
        check_parcel(violations, &consignment->parcels[i], i);
    check_customs(violations, consignment);
    check_amount(violations, consignment->options.insured_value,
                 "options.insured_value.amount_minor");
}

static void check_carrier(struct shipping_service *service, struct violations *violations,
                          struct text name, const char *path)
{
    size_t index;
    if (service_carrier(service, name, &index) == NULL)
        violations_add(violations, "is no carrier of this deployment; ListCarriers names them",
                       "%s", path);
}

/* --- the calls --- */

static void check_get_rates(struct shipping_service *service, struct shipping_call *base)
{
    struct get_rates_call *call = (struct get_rates_call *)base;
    struct violations *violations = &base->violations;
    char path[path_size];
    check_consignment(violations, &call->consignment, false);
    for (size_t i = 0; i < call->carrier_count; i++) {
        snprintf(path, sizeof path, "carriers[%zu]", i);
        check_carrier(service, violations, call->carriers[i], path);
        for (size_t k = 0; k < i; k++) {
            if (text_equal(call->carriers[i], call->carriers[k])) {
                violations_add(violations, "is named twice", "%s", path);
                break;
            }
        }
    }
    call->consignment.ship_date[0] = '\0';
    if (call->ship_date.size == 0)
        return;
    if (field_is_date(call->ship_date))
        memcpy(call->consignment.ship_date, call->ship_date.data, 10);
    else
        violations_add(violations, "must be a date as 2026-01-31, or empty", "ship_date");
}

static void check_choice(struct shipping_service *service, struct shipment_request *request,
                         struct violations *violations)
{
    bool by_rate = request->rate_id.size > 0;
    bool by_service = request->carrier.size > 0 || request->service_code.size > 0;
    bool by_rule = request->rule != 0;
    if (by_rate + by_service + by_rule != 1)
        violations_add(violations, choice_rule, "rate_id");
    if (request->rate_id.size > shipping_rate_id_bytes_max)
        violations_add(violations, "must be at most 512 bytes", "rate_id");
    if (by_rule && request->rule != RATE_RULE_CHEAPEST && request->rule != RATE_RULE_FASTEST)
        violations_add(violations, "must be one of the RateRule values", "rule");
    if (!by_service)
        return;
    check_carrier(service, violations, request->carrier, "carrier");
    if (request->service_code.size == 0 ||
        request->service_code.size > shipping_service_code_bytes_max ||
        !text_is_identifier(request->service_code))
        violations_add(violations, id_rule, "service_code");
}

static void check_create_shipment(struct shipping_service *service, struct shipping_call *base)
{
    struct create_shipment_call *call = (struct create_shipment_call *)base;
    struct shipment_request *request = &call->request;
    struct violations *violations = &base->violations;
    check_id(violations, request->shipment_id, "shipment_id");
    check_optional_id(violations, request->order_id, "order_id");
    check_words(violations, request->reference, shipping_text_bytes_max, "reference");
    check_choice(service, request, violations);
    check_consignment(violations, &request->consignment, true);
    request->consignment.ship_date[0] = '\0';
    if (violations->count == 0)
        shipment_content_hash(request, call->content_hash);
}

static void check_get_shipment(struct shipping_service *service, struct shipping_call *base)
{
    (void)service;
    check_id(&base->violations, ((struct get_shipment_call *)base)->shipment_id, "shipment_id");
}

static void check_page_size(struct violations *violations, size_t *page_size)
{
    if (*page_size > shipping_page_size_max)
        violations_add(violations, page_rule, "page_size");
    if (*page_size == 0)
        *page_size = shipping_page_size_default;
}

static void check_list_shipments(struct shipping_service *service, struct shipping_call *base)
{
    struct list_shipments_call *call = (struct list_shipments_call *)base;
    (void)service;
    check_optional_id(&base->violations, call->order_id, "order_id");
    if ((unsigned)call->state >= shipment_state_count)
        violations_add(&base->violations, "must be one of the ShipmentState values", "state");
    check_page_size(&base->violations, &call->page_size);
}

static void check_cancel_shipment(struct shipping_service *service, struct shipping_call *base)
{
    struct cancel_shipment_call *call = (struct cancel_shipment_call *)base;
    (void)service;
    check_id(&base->violations, call->shipment_id, "shipment_id");
    check_words(&base->violations, call->reason, shipping_note_bytes_max, "reason");
}

static void check_resolve_shipment(struct shipping_service *service, struct shipping_call *base)
{
    struct resolve_shipment_call *call = (struct resolve_shipment_call *)base;
    struct violations *violations = &base->violations;
    (void)service;
    check_id(violations, call->shipment_id, "shipment_id");
    check_words(violations, call->note, shipping_note_bytes_max, "note");
    if ((int)call->resolution < SHIPMENT_ADOPT || (int)call->resolution > SHIPMENT_BUY_AGAIN)
        violations_add(violations, "must be one of the ShipmentResolution values", "resolution");
    else if (call->resolution == SHIPMENT_ADOPT)
        check_number(violations, call->tracking_number, "tracking_number");
    else if (call->tracking_number.size > 0)
        violations_add(violations, "goes with ADOPT alone", "tracking_number");
}

static void check_get_label(struct shipping_service *service, struct shipping_call *base)
{
    struct get_label_call *call = (struct get_label_call *)base;
    (void)service;
    check_id(&base->violations, call->shipment_id, "shipment_id");
    check_range(&base->violations, call->parcel, 0, shipping_parcels_max,
                "must be 0 to 20: parcels are counted from 1", "parcel");
}

static void check_get_tracking_info(struct shipping_service *service, struct shipping_call *base)
{
    struct get_tracking_info_call *call = (struct get_tracking_info_call *)base;
    struct violations *violations = &base->violations;
    bool by_number = call->carrier.size > 0 || call->tracking_number.size > 0;
    if ((call->shipment_id.size > 0) == by_number)
        violations_add(violations, "either shipment_id, or carrier with tracking_number",
                       "shipment_id");
    check_optional_id(violations, call->shipment_id, "shipment_id");
    if (!by_number)
        return;
    check_carrier(service, violations, call->carrier, "carrier");
    check_number(violations, call->tracking_number, "tracking_number");
}

/* It may be one that this deployment has no more. */
static void check_any_carrier(struct violations *violations, struct text name)
{
    check_optional_id(violations, name, "carrier");
}

static void check_list_unread_pushes(struct shipping_service *service, struct shipping_call *base)
{
    struct list_unread_pushes_call *call = (struct list_unread_pushes_call *)base;
    (void)service;
    check_any_carrier(&base->violations, call->carrier);
    check_page_size(&base->violations, &call->page_size);
}

static void check_replay_unread_pushes(struct shipping_service *service, struct shipping_call *base)
{
    (void)service;
    check_any_carrier(&base->violations, ((struct replay_unread_pushes_call *)base)->carrier);
}

static void check_list_unwanted_labels(struct shipping_service *service, struct shipping_call *base)
{
    struct list_unwanted_labels_call *call = (struct list_unwanted_labels_call *)base;
    (void)service;
    if ((unsigned)call->state >= unwanted_label_state_count)
        violations_add(&base->violations, "must be one of the UnwantedLabelState values", "state");
    check_page_size(&base->violations, &call->page_size);
}

static void check_resolve_unwanted_label(struct shipping_service *service,
                                         struct shipping_call *base)
{
    struct resolve_unwanted_label_call *call = (struct resolve_unwanted_label_call *)base;
    struct violations *violations = &base->violations;
    (void)service;
    check_range(violations, call->label_id, 1, INT64_C(1) << 53,
                "must be that of an unwanted label", "label_id");
    if (call->change != UNWANTED_LABEL_CHANGE_VOIDED &&
        call->change != UNWANTED_LABEL_CHANGE_TRY_AGAIN)
        violations_add(violations, "must be one of the UnwantedLabelResolution values",
                       "resolution");
    check_words(violations, call->note, shipping_note_bytes_max, "note");
}

static void check_nothing(struct shipping_service *service, struct shipping_call *base)
{
    (void)service;
    (void)base;
}

void field_checks_run(struct shipping_service *service, struct shipping_call *call)
{
    static void (*const checks[shipping_call_count])(struct shipping_service *,
                                                     struct shipping_call *) = {
        [CALL_GET_RATES] = check_get_rates,
        [CALL_CREATE_SHIPMENT] = check_create_shipment,
        [CALL_GET_SHIPMENT] = check_get_shipment,
        [CALL_LIST_SHIPMENTS] = check_list_shipments,
        [CALL_CANCEL_SHIPMENT] = check_cancel_shipment,
        [CALL_RESOLVE_SHIPMENT] = check_resolve_shipment,
        [CALL_GET_LABEL] = check_get_label,
        [CALL_GET_TRACKING_INFO] = check_get_tracking_info,
        [CALL_LIST_CARRIERS] = check_nothing,
        [CALL_LIST_UNREAD_PUSHES] = check_list_unread_pushes,
        [CALL_REPLAY_UNREAD_PUSHES] = check_replay_unread_pushes,
        [CALL_LIST_UNWANTED_LABELS] = check_list_unwanted_labels,
        [CALL_RESOLVE_UNWANTED_LABEL] = check_resolve_unwanted_label,
    };
    checks[call->kind](service, call);
}
