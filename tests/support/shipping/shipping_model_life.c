/* How a shipment's record changes. */
#include "tests/support/shipping/shipping_model_state.h"

#include "platform/base/check.h"
#include "tests/support/shipping/shipping_copy.h"

#include <string.h>

static const int64_t minute_us = INT64_C(60) * 1000000;

static void emit_shipment(struct shipping_model *model, const struct shipment *shipment,
                          enum shipping_event_type type, struct text reason)
{
    struct shipping_event event = {.type = type, .shipment = shipment, .reason = reason};
    char *id =
        arena_format(&model->arena, "%s/%s", shipment->shipment_id.data, shipping_event_name(type));
    CHECK(id != NULL);
    model_emit(model, &event, shipment->shipment_id, text_of(id));
}

enum shipping_outcome model_begin(struct shipping_model *model,
                                  struct begin_shipment_command *command)
{
    const struct shipment_request *request = command->request;
    struct model_shipment *record = model_find(model, request->shipment_id);
    if (record != NULL) {
        if (memcmp(record->shipment.content_hash, command->content_hash, 32) != 0)
            return SHIPPING_ID_REUSED;
        return model_show(&command->base, record, &command->shipment, SHIPPING_DONE);
    }
    struct shipment shipment = {
        .shipment_id = request->shipment_id,
        .order_id = request->order_id,
        .reference = request->reference,
        .state = SHIPMENT_INTENT,
        .carrier = command->carrier,
        .service_code = command->service_code,
        .consignment = request->consignment,
        .label_format = request->label_format,
        .amount = command->amount,
        .attempt = 1,
        .create_time_us = model->now_us,
        .revision = 1,
    };
    memcpy(shipment.consignment.ship_date, command->ship_date, sizeof command->ship_date);
    memcpy(shipment.content_hash, command->content_hash, 32);
    record = model_add(model, &model->shipments, sizeof *record);
    record->shipment = shipping_copy_shipment(&model->arena, &shipment);
    record->parcels = (struct shipment_parcel *)record->shipment.parcels;
    model_note(model, &record->shipment, 1, "INTENT", (struct text){0});
    command->is_new = true;
    return model_show(&command->base, record, &command->shipment, SHIPPING_DONE);
}

enum shipping_outcome model_mark_sent(struct shipping_model *model,
                                      struct mark_sent_command *command)
{
    struct model_shipment *record = model_find(model, command->shipment_id);
    enum shipping_outcome outcome = SHIPPING_STATE_DIFFERS;
    if (record != NULL && record->shipment.state == SHIPMENT_INTENT &&
        record->shipment.attempt == command->attempt) {
        record->shipment.state = SHIPMENT_SENT;
        record->shipment.sent_time_us = model->now_us;
        record->shipment.failure = (struct text){0};
        record->shipment.revision++;
        model_note(model, &record->shipment, command->attempt, "SENT", (struct text){0});
        outcome = SHIPPING_DONE;
    }
    return model_show(&command->base, record, &command->shipment, outcome);
}

static void add_labels(struct shipping_model *model, struct model_shipment *record, int parcel,
                       const struct carrier_label *labels, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct model_label *label = &record->labels[record->label_count++];
        label->parcel = parcel;
        label->label.format = labels[i].format;
        label->label.content = model_keep(model, labels[i].content);
    }
}

static size_t labels_of(const struct carrier_shipment *bought)
{
    size_t count = bought->label_count;
    for (size_t i = 0; i < bought->parcel_count; i++)
        count += bought->parcels[i].label_count;
    return count;
}

/* What the carrier said about a purchase: numbers, charge, labels. */
static void take_purchase(struct shipping_model *model, struct model_shipment *record,
                          const struct carrier_shipment *bought)
{
    size_t parcel_count = record->shipment.consignment.parcel_count;
    record->labels =
        arena_allocate_zero(&model->arena, labels_of(bought) + 1, sizeof *record->labels);
    CHECK(record->labels != NULL);
    for (size_t i = 0; i < parcel_count && i < bought->parcel_count; i++) {
        if (bought->parcels[i].tracking_number.size > 0)
            record->parcels[i].tracking_number =
                model_keep(model, bought->parcels[i].tracking_number);
        add_labels(model, record, (int)i, bought->parcels[i].labels,
                   bought->parcels[i].label_count);
    }
    add_labels(model, record, whole, bought->labels, bought->label_count);
    if (bought->charged.currency_code[0] != '\0')
        record->shipment.charged = bought->charged;
    if (bought->estimated_delivery_time_us != 0)
        record->shipment.estimated_delivery_time_us = bought->estimated_delivery_time_us;
}

static void become_created(struct shipping_model *model, struct model_shipment *record,
                           struct text number, const struct carrier_shipment *bought)
{
    struct shipment *shipment = &record->shipment;
    shipment->state = SHIPMENT_CREATED;
    shipment->tracking_number = model_keep(model, number);
    shipment->failure = (struct text){0};
    shipment->lookup_time_us = 0;
    shipment->lookups = 0;
    shipment->revision++;
    if (bought != NULL)
        take_purchase(model, record, bought);
    if (bought == NULL && shipment->consignment.parcel_count == 1)
        record->parcels[0].tracking_number = shipment->tracking_number;
}

static void become_intent_again(struct shipment *shipment)
{
    shipment->state = SHIPMENT_INTENT;
    shipment->attempt++;
    shipment->sent_time_us = 0;
    shipment->lookup_time_us = 0;
    shipment->lookups = 0;
    shipment->revision++;
}

static void become_unknown(struct shipment *shipment, struct text failure)
{
    shipment->state = SHIPMENT_UNKNOWN;
    shipment->failure = failure;
    shipment->lookup_time_us = shipment->sent_time_us + minute_us;
    shipment->lookups = 0;
    shipment->revision++;
}

static bool is_same_label(const struct model_shipment *record,
                          const struct carrier_shipment *bought)
{
    for (size_t i = 0; i < bought->parcel_count; i++) {
        if (model_has_number(record, bought->parcels[i].tracking_number))
            return true;
    }
    return model_has_number(record, bought->tracking_number);
}

static enum shipping_outcome end_bought(struct shipping_model *model, struct model_shipment *record,
                                        const struct carrier_shipment *bought, uint32_t attempt)
{
    struct shipment *shipment = &record->shipment;
    switch (shipment->state) {
    case SHIPMENT_NEEDS_ATTENTION:
        if (shipment->tracking_number.size > 0)
            return is_same_label(record, bought) ? SHIPPING_DONE : SHIPPING_STATE_DIFFERS;
        become_created(model, record, bought->tracking_number, bought);
        model_note(model, shipment, attempt, "CREATED", (struct text){0});
        emit_shipment(model, shipment, EVENT_SHIPMENT_CREATED, (struct text){0});
        return SHIPPING_DONE;
    case SHIPMENT_SENT:
    case SHIPMENT_UNKNOWN:
        become_created(model, record, bought->tracking_number, bought);
        model_note(model, shipment, attempt, "CREATED", (struct text){0});
        emit_shipment(model, shipment, EVENT_SHIPMENT_CREATED, (struct text){0});
        return SHIPPING_DONE;
    case SHIPMENT_CREATED:
    case SHIPMENT_CANCELLED:
        if (!is_same_label(record, bought))
            return SHIPPING_STATE_DIFFERS;
        if (shipment->state == SHIPMENT_CREATED && record->label_count == 0 &&
            labels_of(bought) > 0) {
            take_purchase(model, record, bought);
            shipment->revision++;
            model_note(model, shipment, attempt, "LABELS", (struct text){0});
        }
        return SHIPPING_DONE;
    case SHIPMENT_INTENT:
    case SHIPMENT_FAILED:
        return SHIPPING_STATE_DIFFERS;
    }
    return SHIPPING_STATE_DIFFERS;
}

static enum shipping_outcome end_otherwise(struct shipping_model *model, struct shipment *shipment,
                                           const struct record_purchase_command *command)
{
    struct text failure = model_keep(model, command->failure);
    bool sent = shipment->state == SHIPMENT_SENT;
    bool unknown = shipment->state == SHIPMENT_UNKNOWN;
    bool attention = shipment->state == SHIPMENT_NEEDS_ATTENTION;
    if (command->change == SHIPMENT_CHANGE_NOT_DONE && (sent || unknown)) {
        become_intent_again(shipment);
        shipment->failure = failure;
    } else if (command->change == SHIPMENT_CHANGE_REFUSED && (sent || unknown)) {
        shipment->state = SHIPMENT_FAILED;
        shipment->failure = failure;
        shipment->lookup_time_us = 0;
        shipment->revision++;
        emit_shipment(model, shipment, EVENT_SHIPMENT_FAILED, (struct text){0});
    } else if (command->change == SHIPMENT_CHANGE_LOST && sent) {
        become_unknown(shipment, failure);
    } else if (command->change == SHIPMENT_CHANGE_ABANDONED && unknown) {
        shipment->state = SHIPMENT_NEEDS_ATTENTION;
        shipment->failure = failure;
        shipment->lookup_time_us = 0;
        shipment->revision++;
    } else {
        bool known =
            (command->change == SHIPMENT_CHANGE_REFUSED && shipment->state == SHIPMENT_FAILED) ||
            (command->change == SHIPMENT_CHANGE_LOST && (unknown || attention)) ||
            (command->change == SHIPMENT_CHANGE_ABANDONED && attention);
        return known ? SHIPPING_DONE : SHIPPING_STATE_DIFFERS;
    }
    model_note(model, shipment, command->attempt, shipment_state_name(shipment->state), failure);
    return SHIPPING_DONE;
}

enum shipping_outcome model_record_purchase(struct shipping_model *model,
                                            struct record_purchase_command *command)
{
    struct model_shipment *record = model_find(model, command->shipment_id);
    enum shipping_outcome outcome = SHIPPING_STATE_DIFFERS;
    if (record == NULL)
        return SHIPPING_SHIPMENT_NOT_FOUND;
    bool is_earlier = command->attempt < record->shipment.attempt && command->attempt > 0;
    if (is_earlier && command->change == SHIPMENT_CHANGE_NOT_DONE)
        outcome = SHIPPING_DONE;
    else if (is_earlier && command->change == SHIPMENT_CHANGE_BOUGHT &&
             is_same_label(record, command->bought))
        outcome = end_bought(model, record, command->bought, command->attempt);
    else if (command->attempt != record->shipment.attempt)
        outcome = SHIPPING_STATE_DIFFERS;
    else if (command->change == SHIPMENT_CHANGE_BOUGHT)
        outcome = end_bought(model, record, command->bought, command->attempt);
    else
        outcome = end_otherwise(model, &record->shipment, command);
    if (outcome == SHIPPING_STATE_DIFFERS && command->change == SHIPMENT_CHANGE_BOUGHT)
        model_add_unwanted(model, &record->shipment, command->attempt,
                           command->bought->tracking_number);
    return model_show(&command->base, record, &command->shipment, outcome);
}

enum shipping_outcome model_record_lookup(struct shipping_model *model,
                                          struct record_lookup_command *command)
{
    struct model_shipment *record = model_find(model, command->shipment_id);
    enum shipping_outcome outcome = SHIPPING_STATE_DIFFERS;
    if (record != NULL && record->shipment.attempt == command->attempt &&
        (record->shipment.state == SHIPMENT_UNKNOWN || record->shipment.cancel_wanted)) {
        record->shipment.lookup_time_us = command->lookup_time_us;
        record->shipment.lookups++;
        record->shipment.failure = model_keep(model, command->failure);
        record->shipment.revision++;
        outcome = SHIPPING_DONE;
    }
    return model_show(&command->base, record, &command->shipment, outcome);
}

static void become_cancelled(struct shipping_model *model, struct shipment *shipment,
                             struct text reason, const char *what)
{
    shipment->state = SHIPMENT_CANCELLED;
    shipment->cancel_reason = model_keep(model, reason);
    shipment->cancel_wanted = false;
    shipment->lookup_time_us = 0;
    shipment->revision++;
    model_note(model, shipment, shipment->attempt, what, reason);
    emit_shipment(model, shipment, EVENT_SHIPMENT_CANCELLED, shipment->cancel_reason);
}

enum shipping_outcome model_begin_cancel(struct shipping_model *model,
                                         struct cancel_shipment_command *command)
{
    struct model_shipment *record = model_find(model, command->shipment_id);
    struct shipment *shipment = record == NULL ? NULL : &record->shipment;
    enum shipping_outcome outcome = SHIPPING_DONE;
    if (shipment == NULL)
        return SHIPPING_SHIPMENT_NOT_FOUND;
    if (shipment->state == SHIPMENT_INTENT) {
        become_cancelled(model, shipment, command->reason, "CANCELLED");
    } else if (shipment->state == SHIPMENT_CREATED && !shipment->cancel_wanted) {
        shipment->cancel_wanted = true;
        shipment->cancel_reason = model_keep(model, command->reason);
        shipment->failure = (struct text){0};
        shipment->lookup_time_us = model->now_us + minute_us;
        shipment->lookups = 0;
        shipment->revision++;
        model_note(model, shipment, shipment->attempt, "CANCEL WANTED", command->reason);
    } else if (shipment->state != SHIPMENT_CREATED && shipment->state != SHIPMENT_CANCELLED) {
        outcome = SHIPPING_STATE_DIFFERS;
    }
    return model_show(&command->base, record, &command->shipment, outcome);
}

/* Bought, and the carrier did not find it to void. */
static bool is_lost_void(const struct shipment *shipment)
{
    return shipment->state == SHIPMENT_NEEDS_ATTENTION && shipment->tracking_number.size > 0;
}

enum shipping_outcome model_end_cancel(struct shipping_model *model,
                                       struct cancel_shipment_command *command)
{
    struct model_shipment *record = model_find(model, command->shipment_id);
    struct shipment *shipment = record == NULL ? NULL : &record->shipment;
    enum shipping_outcome outcome = SHIPPING_DONE;
    if (shipment == NULL)
        return SHIPPING_SHIPMENT_NOT_FOUND;
    if ((shipment->state == SHIPMENT_CREATED || is_lost_void(shipment)) && command->voided) {
        shipment->failure = (struct text){0};
        become_cancelled(model, shipment, shipment->cancel_reason, "CANCELLED");
    } else if (shipment->state == SHIPMENT_CREATED && shipment->cancel_wanted) {
        shipment->cancel_wanted = false;
        if (command->is_lost)
            shipment->state = SHIPMENT_NEEDS_ATTENTION;
        else
            shipment->cancel_reason = (struct text){0};
        shipment->failure = model_keep(model, command->failure);
        shipment->lookup_time_us = 0;
        shipment->revision++;
        model_note(model, shipment, shipment->attempt,
                   command->is_lost ? "CANCEL LOST" : "CANCEL REFUSED", command->failure);
    } else if (shipment->state != SHIPMENT_CREATED && !is_lost_void(shipment) &&
               !(shipment->state == SHIPMENT_CANCELLED && command->voided)) {
        outcome = SHIPPING_STATE_DIFFERS;
    }
    return model_show(&command->base, record, &command->shipment, outcome);
}

enum shipping_outcome model_resolve(struct shipping_model *model,
                                    struct resolve_shipment_command *command)
{
    struct model_shipment *record = model_find(model, command->shipment_id);
    struct shipment *shipment = record == NULL ? NULL : &record->shipment;
    enum shipping_outcome outcome = SHIPPING_DONE;
    if (shipment == NULL)
        return SHIPPING_SHIPMENT_NOT_FOUND;
    bool attention = shipment->state == SHIPMENT_NEEDS_ATTENTION;
    bool lost = is_lost_void(shipment);
    bool open = (attention && !lost) || shipment->state == SHIPMENT_UNKNOWN;
    if (lost && command->resolution == SHIPMENT_ADOPT &&
        model_has_number(record, command->tracking_number)) {
        shipment->state = SHIPMENT_CREATED;
        shipment->failure = (struct text){0};
        shipment->cancel_reason = (struct text){0};
        shipment->lookups = 0;
        shipment->revision++;
        model_note(model, shipment, shipment->attempt, "RESOLVE ADOPT", command->note);
        record->bought_again = false;
    } else if (command->resolution == SHIPMENT_ADOPT && open) {
        become_created(model, record, command->tracking_number, command->bought);
        model_note(model, shipment, shipment->attempt, "RESOLVE ADOPT", command->note);
        emit_shipment(model, shipment, EVENT_SHIPMENT_CREATED, (struct text){0});
        record->bought_again = false;
    } else if (command->resolution == SHIPMENT_VOID && (open || lost)) {
        become_cancelled(model, shipment, command->note, "RESOLVE VOID");
        record->bought_again = false;
    } else if (command->resolution == SHIPMENT_BUY_AGAIN && attention && !lost) {
        model_note(model, shipment, shipment->attempt, "RESOLVE BUY_AGAIN", command->note);
        become_intent_again(shipment);
        shipment->failure = (struct text){0};
        record->bought_again = true;
    } else {
        bool known =
            (command->resolution == SHIPMENT_ADOPT && shipment->state == SHIPMENT_CREATED &&
             model_has_number(record, command->tracking_number)) ||
            (command->resolution == SHIPMENT_VOID && shipment->state == SHIPMENT_CANCELLED) ||
            (command->resolution == SHIPMENT_BUY_AGAIN && record->bought_again);
        outcome = known ? SHIPPING_DONE : SHIPPING_STATE_DIFFERS;
    }
    return model_show(&command->base, record, &command->shipment, outcome);
}

void model_sweep_sent(struct shipping_model *model, int64_t before_us)
{
    static const char why[] = "no answer was recorded";
    for (size_t i = 0; i < model->shipments.count; i++) {
        struct model_shipment *record = model->shipments.items[i];
        if (record->shipment.state != SHIPMENT_SENT || record->shipment.sent_time_us >= before_us)
            continue;
        become_unknown(&record->shipment, text_of(why));
        model_note(model, &record->shipment, record->shipment.attempt, "UNKNOWN", text_of(why));
    }
}
