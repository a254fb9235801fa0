/* Each check adds at most one violation a field; a request is looked at to its end. */
#include "fulfillment/application/fulfillment_service.h"

#include "fulfillment/domain/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char id_rule[] = "must be 1 to 64 bytes of [A-Za-z0-9._:-]";

static bool is_id(struct text id)
{
    return id.size > 0 && id.size <= fulfillment_id_bytes_max && text_is_identifier(id);
}

bool fulfillment_check_order_id(struct violations *violations, struct text order_id)
{
    if (is_id(order_id))
        return true;
    violations_add(violations, id_rule, "order_id");
    return false;
}

static void check_optional_id(struct violations *violations, struct text id, const char *path)
{
    if (id.size > 0 && !is_id(id))
        violations_add(violations, "must be empty or at most 64 bytes of [A-Za-z0-9._:-]", "%s",
                       path);
}

/* UTF-8 without control characters, at most `size_max` bytes. */
static bool are_words(struct text words, size_t size_max)
{
    return words.size <= size_max && text_is_utf8(words) && !text_has_control(words);
}

static void check_words(struct violations *violations, struct text words, const char *path)
{
    if (!are_words(words, fulfillment_text_bytes_max))
        violations_add(violations, "must be at most 128 bytes of UTF-8 without control characters",
                       "%s", path);
}

static bool are_capitals(struct text text, size_t size)
{
    if (text.size != size)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text.data[i] < 'A' || text.data[i] > 'Z')
            return false;
    }
    return true;
}

static void check_sku(struct violations *violations, struct text sku, size_t line)
{
    if (sku.size > fulfillment_sku_bytes_max || !text_is_name(sku))
        violations_add(violations,
                       "must be 1 to 64 bytes of UTF-8 without control characters or outer spaces",
                       "lines[%zu].sku", line);
}

static void check_destination(struct violations *violations, const struct order_address *address)
{
    const struct {
        struct text text;
        const char *path;
    } fields[] = {
        {address->name, "destination.name"},
        {address->company, "destination.company"},
        {address->phone, "destination.phone"},
        {address->email, "destination.email"},
        {address->city, "destination.city"},
        {address->region, "destination.region"},
        {address->postal_code, "destination.postal_code"},
    };
    char path[64];
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        check_words(violations, fields[i].text, fields[i].path);
    for (size_t i = 0; i < address->line_count; i++) {
        snprintf(path, sizeof path, "destination.lines[%zu]", i);
        check_words(violations, address->lines[i], path);
    }
    if (address->name.size == 0 && address->company.size == 0)
        violations_add(violations, "name or company must be given", "destination.name");
    if (address->line_count == 0 || address->line_count > fulfillment_address_lines_max)
        violations_add(violations, "must be 1 to 4", "destination.lines");
    else if (address->lines[0].size == 0)
        violations_add(violations, "must not be empty", "destination.lines[0]");
    if (address->city.size == 0)
        violations_add(violations, "must not be empty", "destination.city");
    if (!are_capitals(address->country_code, 2))
        violations_add(violations, "must be two capital letters (ISO 3166-1 alpha-2)",
                       "destination.country_code");
    if (!address->has_point)
        violations_add(violations, "is needed to choose the warehouses", "destination.point");
    if (address->latitude_e7 > 900000000 || address->latitude_e7 < -900000000)
        violations_add(violations, "must be -900000000 to 900000000",
                       "destination.point.latitude_e7");
    if (address->longitude_e7 > 1800000000 || address->longitude_e7 < -1800000000)
        violations_add(violations, "must be -1800000000 to 1800000000",
                       "destination.point.longitude_e7");
}

/* What the lines are together; brings them into normal form. */
static void sum_lines(struct violations *violations, struct order *request)
{
    size_t failed = 0;
    switch (order_normalize_lines(request->lines, &request->line_count, &failed)) {
    case ORDER_LINES_NORMAL:
        if (!order_goods_value(request->lines, request->line_count, &request->goods_minor))
            violations_add(violations, "are worth more than 10^15 minor units", "lines");
        break;
    case ORDER_LINES_TWO_VALUES:
        violations_add(violations, "must be the same in all lines of one SKU",
                       "lines[%zu].unit_value.amount_minor", failed);
        break;
    case ORDER_LINES_TOO_MANY:
        violations_add(violations, "lines of one SKU must sum up to at most 1000000000000",
                       "lines[%zu].quantity", failed);
        break;
    }
}

static void check_lines(struct violations *violations, struct order *request,
                        const char (*currencies)[4])
{
    size_t before = violations->count;
    if (request->line_count == 0 || request->line_count > fulfillment_lines_max)
        violations_add(violations, "must be 1 to 100", "lines");
    for (size_t i = 0; i < request->line_count; i++) {
        const struct order_line *line = &request->lines[i];
        check_sku(violations, line->sku, i);
        if (line->quantity < 1 || line->quantity > fulfillment_quantity_max)
            violations_add(violations, "must be 1 to 1000000000000", "lines[%zu].quantity", i);
        if (line->unit_value_minor < 0 || line->unit_value_minor > fulfillment_unit_value_max)
            violations_add(violations, "must be 0 to 1000000000000",
                           "lines[%zu].unit_value.amount_minor", i);
        if (strcmp(currencies[i], request->currency) != 0)
            violations_add(violations, "must be the order's currency_code",
                           "lines[%zu].unit_value.currency_code", i);
    }
    if (violations->count == before) /* all are good for themselves */
        sum_lines(violations, request);
}

static int compare_texts(const void *a, const void *b)
{
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

/* Whether there is such a carrier, shipping says when it is asked for rates. */
static void check_carriers(struct violations *violations, struct order *request)
{
    for (size_t i = 0; i < request->carrier_count; i++) {
        struct text carrier = request->carriers[i];
        size_t same = 0;
        while (same < i && !text_equal(request->carriers[same], carrier))
            same++;
        if (carrier.size == 0 || !are_words(carrier, fulfillment_carrier_bytes_max))
            violations_add(violations, "must be the name of a carrier", "carriers[%zu]", i);
        else if (same < i)
            violations_add(violations, "is named twice", "carriers[%zu]", i);
    }
    qsort(request->carriers, request->carrier_count, sizeof *request->carriers, compare_texts);
}

/* Also of an order that crosses no border: it is kept, and shown to people. */
static void check_incoterm(struct violations *violations, struct text incoterm)
{
    static const char *const rules[] = {"EXW", "FCA", "FAS", "FOB", "CFR", "CIF",
                                        "CPT", "CIP", "DAP", "DPU", "DDP"};
    bool is_known = incoterm.size == 0;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        is_known = is_known || text_equals_string(incoterm, rules[i]);
    if (!is_known)
        violations_add(violations, "must be a rule of Incoterms 2020, or empty for DAP",
                       "incoterm");
}

bool fulfillment_service_promise(struct fulfillment_service *service, struct order *request,
                                 const char (*currencies)[4], struct order_job *job,
                                 struct violations *violations, order_job_done *done)
{
    (void)fulfillment_check_order_id(violations, request->order_id);
    check_optional_id(violations, request->customer_id, "customer_id");
    if (!are_capitals(text_of(request->currency), 3))
        violations_add(violations, "must be three capital letters (ISO 4217)", "currency_code");
    check_lines(violations, request, currencies);
    check_destination(violations, &request->destination);
    if ((int)request->rule < 0 || request->rule > ORDER_FASTEST)
        violations_add(violations, "must be one of the OrderRule values", "rule");
    check_carriers(violations, request);
    check_incoterm(violations, request->incoterm);
    if (request->ttl_us == 0)
        request->ttl_us = fulfillment_ttl_us_default;
    if (request->ttl_us < 1000000 || request->ttl_us > fulfillment_ttl_us_max)
        violations_add(violations, "must be 1 s to 31 days", "ttl");
    if (violations->count > 0)
        return false;
    if (request->rule == 0)
        request->rule = ORDER_CHEAPEST;
    if (request->incoterm.size == 0)
        request->incoterm = text_of("DAP");
    job->kind = ORDER_JOB_PROMISE;
    job->request = request;
    order_driver_submit(service->driver, job, done);
    return true;
}

bool fulfillment_service_change(struct fulfillment_service *service, struct order_job *job,
                                struct violations *violations, order_job_done *done)
{
    (void)fulfillment_check_order_id(violations, job->order_id);
    if (!are_words(job->reason, fulfillment_note_bytes_max))
        violations_add(violations, "must be at most 256 bytes of UTF-8 without control characters",
                       "reason");
    if (violations->count > 0)
        return false;
    order_driver_submit(service->driver, job, done);
    return true;
}

bool fulfillment_service_get(struct fulfillment_service *service, struct get_order_command *command,
                             struct violations *violations, fulfillment_done *done)
{
    if (!fulfillment_check_order_id(violations, command->order_id))
        return false;
    command->base.kind = COMMAND_GET_ORDER;
    fulfillment_repository_execute(service->repository, &command->base, done);
    return true;
}

bool fulfillment_service_list(struct fulfillment_service *service,
                              struct list_orders_command *command, int64_t page_size, int64_t state,
                              struct violations *violations, fulfillment_done *done)
{
    check_optional_id(violations, command->customer_id, "customer_id");
    if (state < 0 || state > ORDER_NEEDS_ATTENTION)
        violations_add(violations, "must be one of the OrderState values", "state");
    if (page_size < 0 || page_size > fulfillment_page_size_max)
        violations_add(violations, "must be 0 to 1000", "page_size");
    if (violations->count > 0)
        return false;
    command->base.kind = COMMAND_LIST_ORDERS;
    command->state = (enum order_state)state;
    command->page_size = page_size == 0 ? fulfillment_page_size_default : (size_t)page_size;
    fulfillment_repository_execute(service->repository, &command->base, done);
    return true;
}
