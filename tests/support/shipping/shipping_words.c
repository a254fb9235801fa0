/* What tests say, as commands. Everything is on the kit's arena. */
#include "tests/support/shipping/shipping_kit.h"

#include "platform/base/check.h"

#include <stdio.h>
#include <string.h>

static struct text copy(struct shipping_kit *kit, const char *string)
{
    struct text text = arena_copy_text(&kit->arena, text_of(string));
    CHECK(text.data != NULL);
    return text;
}

static void *make(struct shipping_kit *kit, size_t count, size_t size)
{
    void *memory = arena_allocate_zero(&kit->arena, count + 1, size);
    CHECK(memory != NULL);
    return memory;
}

static struct text format(struct shipping_kit *kit, const char *words, const char *string,
                          unsigned number)
{
    char text[256];
    snprintf(text, sizeof text, words, string, number);
    return copy(kit, text);
}

static struct shipping_address make_address(struct shipping_kit *kit, const char *city,
                                            const char *country, unsigned variant)
{
    return (struct shipping_address){
        .name = copy(kit, "Zo\xC3\xAB"
                          " \"Z\" O'Neill"),
        .company = copy(kit, variant % 2 == 0 ? "" : "Acme {\\} & Co"),
        .phone = copy(kit, "+1 555 0100"),
        .lines = {format(kit, "%s %u", "Main Street", variant), copy(kit, "c/o Dock 4")},
        .line_count = 1 + variant % 2,
        .city = copy(kit, city),
        .postal_code = copy(kit, "10115"),
        .country_code = copy(kit, country),
        .has_point = variant % 2 == 0,
        .latitude_e7 = -234567890,
        .longitude_e7 = 1345678901,
    };
}

static const struct shipping_customs *make_customs(struct shipping_kit *kit)
{
    struct shipping_customs *customs = make(kit, 1, sizeof *customs);
    struct shipping_customs_item *items = make(kit, 2, sizeof *items);
    for (unsigned i = 0; i < 2; i++)
        items[i] = (struct shipping_customs_item){
            .description = format(kit, "%s %u", "Cups", i),
            .quantity = 3 + i,
            .value = {"EUR", 1250},
            .weight_grams = 300,
            .hs_code = copy(kit, i == 0 ? "691110" : ""),
            .origin_country = copy(kit, "DE"),
        };
    customs->incoterm = copy(kit, "DAP");
    customs->contents_type = copy(kit, "MERCHANDISE");
    customs->items = items;
    customs->item_count = 2;
    return customs;
}

static void fill_consignment(struct shipping_kit *kit, unsigned variant,
                             struct consignment *consignment)
{
    size_t count = 1 + variant % 3;
    struct shipping_parcel *parcels = make(kit, count, sizeof *parcels);
    for (unsigned i = 0; i < count; i++)
        parcels[i] = (struct shipping_parcel){
            .weight_grams = 1000 + variant,
            .length_mm = (int32_t)(200 + i),
            .width_mm = 150,
            .height_mm = 100,
            .value = {"EUR", 3750},
            .reference = format(kit, "%s-%u", "box", i),
        };
    consignment->origin = make_address(kit, "Berlin", "DE", variant);
    consignment->destination =
        make_address(kit, "K\xC3\xB6ln", variant % 2 == 0 ? "DE" : "US", variant);
    consignment->parcels = parcels;
    consignment->parcel_count = count;
    if (variant % 2 != 0)
        consignment->customs = make_customs(kit);
    consignment->direction = variant % 5 == 4 ? SHIPPING_RETURN : SHIPPING_OUTBOUND;
    consignment->options.signature = variant % 2 == 0;
    if (variant % 4 == 1)
        consignment->options.insured_value = (struct shipping_money){"USD", 5000};
}

struct begin_shipment_command *kit_begin_command(struct shipping_kit *kit, const char *id,
                                                 unsigned variant)
{
    struct begin_shipment_command *command =
        shipping_kit_command(kit, COMMAND_BEGIN_SHIPMENT, sizeof *command);
    struct shipment_request *request = make(kit, 1, sizeof *request);
    request->shipment_id = copy(kit, id);
    request->order_id = variant % 7 == 6 ? copy(kit, "") : format(kit, "%s-%u", "order", variant);
    request->carrier = copy(kit, variant % 2 == 0 ? "ups" : "dhl");
    request->service_code = copy(kit, "03");
    request->label_format = (enum shipping_label_format)(variant % 3);
    request->reference = copy(kit, variant % 2 == 0 ? "" : "PO 17");
    fill_consignment(kit, variant, &request->consignment);
    shipment_content_hash(request, command->content_hash);
    command->request = request;
    command->carrier = request->carrier;
    command->service_code = request->service_code;
    command->amount = (struct shipping_money){"EUR", 1299 + (int64_t)variant};
    memcpy(command->ship_date, "2027-01-18", sizeof command->ship_date);
    return command;
}

struct mark_sent_command *kit_send_command(struct shipping_kit *kit, const char *id,
                                           uint32_t attempt)
{
    struct mark_sent_command *command =
        shipping_kit_command(kit, COMMAND_MARK_SENT, sizeof *command);
    command->shipment_id = copy(kit, id);
    command->attempt = attempt;
    return command;
}

struct carrier_shipment *kit_purchase(struct shipping_kit *kit, const char *number,
                                      size_t parcel_count, bool with_labels)
{
    struct carrier_shipment *bought = make(kit, 1, sizeof *bought);
    struct carrier_parcel *parcels = make(kit, parcel_count, sizeof *parcels);
    struct carrier_label *labels = make(kit, parcel_count + 1, sizeof *labels);
    for (unsigned i = 0; i < parcel_count; i++) {
        parcels[i].tracking_number = format(kit, "%s-%u", number, i);
        labels[i].format = SHIPPING_LABEL_ZPL;
        labels[i].content = format(kit, "^XA%s.%u", number, i);
        parcels[i].labels = &labels[i];
        parcels[i].label_count = with_labels;
    }
    labels[parcel_count].format = SHIPPING_LABEL_PDF;
    labels[parcel_count].content = format(kit, "%%PDF-%s.%u", number, (unsigned)parcel_count);
    bought->tracking_number = copy(kit, number);
    bought->charged = (struct shipping_money){"EUR", 1111};
    bought->parcels = parcels;
    bought->parcel_count = parcel_count;
    bought->labels = &labels[parcel_count];
    bought->label_count = with_labels;
    bought->estimated_delivery_time_us = INT64_C(1800200000) * 1000000;
    return bought;
}

struct record_purchase_command *kit_end_command(struct shipping_kit *kit, const char *id,
                                                uint32_t attempt, enum shipment_change change,
                                                const char *words)
{
    struct record_purchase_command *command =
        shipping_kit_command(kit, COMMAND_RECORD_PURCHASE, sizeof *command);
    command->shipment_id = copy(kit, id);
    command->attempt = attempt;
    command->change = change;
    if (change == SHIPMENT_CHANGE_BOUGHT)
        command->bought = kit_purchase(kit, words, 2, true);
    else
        command->failure = copy(kit, words);
    return command;
}

struct cancel_shipment_command *kit_cancel_command(struct shipping_kit *kit,
                                                   enum shipping_command_kind kind, const char *id,
                                                   bool voided, const char *words)
{
    struct cancel_shipment_command *command = shipping_kit_command(kit, kind, sizeof *command);
    command->shipment_id = copy(kit, id);
    command->voided = voided;
    command->reason = copy(kit, words);
    command->failure = command->reason;
    return command;
}

struct resolve_shipment_command *kit_resolve_command(struct shipping_kit *kit, const char *id,
                                                     enum shipment_resolution resolution,
                                                     const char *words)
{
    struct resolve_shipment_command *command =
        shipping_kit_command(kit, COMMAND_RESOLVE_SHIPMENT, sizeof *command);
    command->shipment_id = copy(kit, id);
    command->resolution = resolution;
    command->tracking_number = copy(kit, words);
    command->note = copy(kit, words);
    return command;
}

/* --- asked at once --- */

enum shipping_outcome kit_begin(struct shipping_kit *kit, const char *id, unsigned variant)
{
    return shipping_kit_ask(kit, &kit_begin_command(kit, id, variant)->base);
}

enum shipping_outcome kit_send(struct shipping_kit *kit, const char *id, uint32_t attempt)
{
    return shipping_kit_ask(kit, &kit_send_command(kit, id, attempt)->base);
}

enum shipping_outcome kit_end(struct shipping_kit *kit, const char *id, uint32_t attempt,
                              enum shipment_change change, const char *words)
{
    return shipping_kit_ask(kit, &kit_end_command(kit, id, attempt, change, words)->base);
}

enum shipping_outcome kit_begin_cancel(struct shipping_kit *kit, const char *id, const char *reason)
{
    return shipping_kit_ask(
        kit, &kit_cancel_command(kit, COMMAND_BEGIN_CANCEL, id, false, reason)->base);
}

enum shipping_outcome kit_end_cancel(struct shipping_kit *kit, const char *id, bool voided,
                                     const char *failure)
{
    return shipping_kit_ask(
        kit, &kit_cancel_command(kit, COMMAND_END_CANCEL, id, voided, failure)->base);
}

enum shipping_outcome kit_resolve(struct shipping_kit *kit, const char *id,
                                  enum shipment_resolution resolution, const char *words)
{
    return shipping_kit_ask(kit, &kit_resolve_command(kit, id, resolution, words)->base);
}

void kit_bring(struct shipping_kit *kit, const char *id, unsigned variant,
               enum shipment_state state)
{
    char number[64];
    snprintf(number, sizeof number, "N-%s", id);
    bool lost = state == SHIPMENT_UNKNOWN || state == SHIPMENT_NEEDS_ATTENTION;
    assert_int_equal(kit_begin(kit, id, variant), SHIPPING_DONE);
    if (state == SHIPMENT_CANCELLED)
        assert_int_equal(kit_begin_cancel(kit, id, "not wanted"), SHIPPING_DONE);
    if (state == SHIPMENT_INTENT || state == SHIPMENT_CANCELLED)
        return;
    assert_int_equal(kit_send(kit, id, 1), SHIPPING_DONE);
    if (state == SHIPMENT_CREATED)
        assert_int_equal(kit_end(kit, id, 1, SHIPMENT_CHANGE_BOUGHT, number), SHIPPING_DONE);
    if (state == SHIPMENT_FAILED)
        assert_int_equal(kit_end(kit, id, 1, SHIPMENT_CHANGE_REFUSED, "no such street"),
                         SHIPPING_DONE);
    if (lost)
        assert_int_equal(kit_end(kit, id, 1, SHIPMENT_CHANGE_LOST, "cut off"), SHIPPING_DONE);
    if (state == SHIPMENT_NEEDS_ATTENTION)
        assert_int_equal(kit_end(kit, id, 1, SHIPMENT_CHANGE_ABANDONED, "not found"),
                         SHIPPING_DONE);
}

/* --- what is there --- */

struct shipment *kit_get(struct shipping_kit *kit, const char *id)
{
    struct get_shipment_command *get = shipping_kit_command(kit, COMMAND_GET_SHIPMENT, sizeof *get);
    get->shipment_id = copy(kit, id);
    assert_int_equal(shipping_kit_ask(kit, &get->base), SHIPPING_DONE);
    return &get->shipment;
}

void kit_assert_state(struct shipping_kit *kit, const char *id, enum shipment_state state,
                      uint32_t attempt)
{
    const struct shipment *shipment = kit_get(kit, id);
    if (shipment->state != state || shipment->attempt != attempt)
        fail_msg("%s is %s of attempt %u; expected %s of %u", id,
                 shipment_state_name(shipment->state), shipment->attempt,
                 shipment_state_name(state), attempt);
}

/* Joins by spaces what `word` gives. */
struct words {
    char *text;
    size_t size;
};

static void add_word(struct words *words, struct text a, const char *between, struct text b)
{
    words->size +=
        (size_t)sprintf(words->text + words->size, "%s%.*s%s%.*s", words->size == 0 ? "" : " ",
                        (int)a.size, a.data, between, (int)b.size, b.size == 0 ? "" : b.data);
}

const char *kit_audit_words(struct shipping_kit *kit, const char *id)
{
    struct list_audit_command *list = shipping_kit_command(kit, COMMAND_LIST_AUDIT, sizeof *list);
    struct words words = {.text = make(kit, 1, 65536)};
    list->shipment_id = copy(kit, id);
    list->page_size = 1000;
    assert_int_equal(shipping_kit_ask(kit, &list->base), SHIPPING_DONE);
    for (size_t i = 0; i < list->entry_count; i++)
        add_word(&words, list->entries[i].what, "", (struct text){0});
    return words.text;
}

const char *kit_event_words(struct shipping_kit *kit)
{
    struct words words = {.text = make(kit, 1, 65536)};
    size_t count;
    const struct kit_event *events = kit_events(kit, &count);
    for (size_t i = 0; i < count; i++)
        add_word(&words, events[i].type, ":", events[i].key);
    return words.text;
}
