/* What the model is asked, and its lists beside the shipments: audit, pushes, scans. */
#include "tests/support/shipping/shipping_model_state.h"

#include "platform/base/check.h"
#include "platform/base/hexadecimal.h"
#include "tests/support/shipping/shipping_copy.h"

#include <stdlib.h>
#include <string.h>

enum shipping_outcome model_list_shipments(struct shipping_model *model,
                                           struct list_shipments_command *command)
{
    command->shipments = arena_allocate_zero(command->base.arena, command->page_size + 1,
                                             sizeof *command->shipments);
    CHECK(command->shipments != NULL);
    for (size_t i = command->after; i < model->shipments.count; i++) {
        const struct model_shipment *record = model->shipments.items[i];
        if (command->order_id.size > 0 && !text_equal(record->shipment.order_id, command->order_id))
            continue;
        if (command->state != 0 && record->shipment.state != command->state)
            continue;
        if (command->shipment_count == command->page_size) {
            command->next = command->after;
            return SHIPPING_DONE;
        }
        command->shipments[command->shipment_count++] =
            shipping_copy_shipment(command->base.arena, &record->shipment);
        command->after = i + 1;
    }
    return SHIPPING_DONE;
}

static int by_lookup_time(const void *a, const void *b)
{
    const struct shipment *one = *(const struct shipment *const *)a;
    const struct shipment *other = *(const struct shipment *const *)b;
    if (one->lookup_time_us != other->lookup_time_us)
        return one->lookup_time_us < other->lookup_time_us ? -1 : 1;
    return text_compare(one->shipment_id, other->shipment_id);
}

enum shipping_outcome model_list_unfinished(struct shipping_model *model,
                                            struct list_unfinished_command *command)
{
    size_t count = 0;
    model_sweep_sent(model, command->sent_before_us);
    model_count_open(model, &command->open);
    const struct shipment **due =
        arena_allocate_zero(command->base.arena, model->shipments.count + 1, sizeof *due);
    command->shipments = arena_allocate_zero(command->base.arena, command->page_size + 1,
                                             sizeof *command->shipments);
    CHECK(due != NULL && command->shipments != NULL);
    for (size_t i = 0; i < model->shipments.count; i++) {
        const struct model_shipment *record = model->shipments.items[i];
        if (record->shipment.lookup_time_us != 0 &&
            record->shipment.lookup_time_us <= command->now_us)
            due[count++] = &record->shipment;
    }
    qsort(due, count, sizeof *due, by_lookup_time);
    for (size_t i = 0; i < count && i < command->page_size; i++)
        command->shipments[command->shipment_count++] =
            shipping_copy_shipment(command->base.arena, due[i]);
    return SHIPPING_DONE;
}

enum shipping_outcome model_get_label(struct shipping_model *model,
                                      struct get_label_command *command)
{
    const struct model_shipment *record = model_find(model, command->shipment_id);
    enum shipping_outcome outcome =
        model_show(&command->base, record, &command->shipment, SHIPPING_LABEL_NOT_FOUND);
    if (record == NULL || command->parcel >= record->shipment.consignment.parcel_count)
        return outcome;
    for (int pass = 0; pass < 2; pass++) {
        int parcel = pass == 0 ? (int)command->parcel : whole;
        for (size_t i = 0; i < record->label_count; i++) {
            if (record->labels[i].parcel != parcel ||
                record->labels[i].label.format != command->format)
                continue;
            command->content =
                shipping_copy_text(command->base.arena, record->labels[i].label.content);
            return SHIPPING_DONE;
        }
    }
    return outcome;
}

/* --- the audit trail --- */

enum shipping_outcome model_keep_audit(struct shipping_model *model,
                                       struct keep_audit_command *command)
{
    for (size_t i = 0; i < command->entry_count; i++) {
        struct shipping_audit *entry = model_add(model, &model->audit, sizeof *entry);
        *entry = command->entries[i];
        entry->shipment_id = model_keep(model, entry->shipment_id);
        entry->what = model_keep(model, entry->what);
        entry->note = model_keep(model, entry->note);
        entry->url = model_keep(model, entry->url);
        entry->request = model_keep(model, entry->request);
        entry->answer = model_keep(model, entry->answer);
    }
    return SHIPPING_DONE;
}

enum shipping_outcome model_list_audit(struct shipping_model *model,
                                       struct list_audit_command *command)
{
    command->entries =
        arena_allocate_zero(command->base.arena, command->page_size + 1, sizeof *command->entries);
    CHECK(command->entries != NULL);
    for (size_t i = command->after; i < model->audit.count; i++) {
        const struct shipping_audit *entry = model->audit.items[i];
        if (!text_equal(entry->shipment_id, command->shipment_id))
            continue;
        if (command->entry_count == command->page_size) {
            command->next = command->after;
            return SHIPPING_DONE;
        }
        command->entries[command->entry_count++] = *entry;
        command->after = i + 1;
    }
    return SHIPPING_DONE;
}

/* --- pushes --- */

enum shipping_outcome model_keep_webhook(struct shipping_model *model,
                                         struct keep_webhook_command *command)
{
    for (size_t i = 0; i < model->webhooks.count; i++) {
        const struct model_webhook *known = model->webhooks.items[i];
        if (text_equal(known->webhook.carrier, command->carrier) &&
            text_equal(known->webhook.body, command->body)) {
            command->webhook_id = known->webhook.webhook_id;
            return SHIPPING_DONE;
        }
    }
    struct model_webhook *kept = model_add(model, &model->webhooks, sizeof *kept);
    kept->webhook = (struct shipping_webhook){
        .webhook_id = model->webhooks.count,
        .carrier = model_keep(model, command->carrier),
        .body = model_keep(model, command->body),
        .receive_time_us = model->now_us,
    };
    command->webhook_id = kept->webhook.webhook_id;
    command->is_new = true;
    return SHIPPING_DONE;
}

enum shipping_outcome model_list_webhooks(struct shipping_model *model,
                                          struct list_webhooks_command *command)
{
    command->webhooks =
        arena_allocate_zero(command->base.arena, command->page_size + 1, sizeof *command->webhooks);
    CHECK(command->webhooks != NULL);
    for (size_t i = 0; i < model->webhooks.count; i++) {
        const struct model_webhook *kept = model->webhooks.items[i];
        if (!kept->processed && command->webhook_count < command->page_size)
            command->webhooks[command->webhook_count++] = kept->webhook;
    }
    return SHIPPING_DONE;
}

static bool same_scan(const struct shipping_scan *a, const struct shipping_scan *b)
{
    return text_equal(a->tracking_number, b->tracking_number) &&
           text_equal(a->carrier_code, b->carrier_code) &&
           text_equal(a->description, b->description) &&
           a->occurred_time_us == b->occurred_time_us && a->has_utc_offset == b->has_utc_offset &&
           (!a->has_utc_offset || a->utc_offset_minutes == b->utc_offset_minutes) &&
           text_equal(a->facility, b->facility) && text_equal(a->city, b->city) &&
           text_equal(a->country_code, b->country_code) && a->has_point == b->has_point &&
           (!a->has_point ||
            (a->latitude_e7 == b->latitude_e7 && a->longitude_e7 == b->longitude_e7));
}

static bool scan_is_known(const struct shipping_model *model, struct text carrier,
                          const struct shipping_scan *scan)
{
    for (size_t i = 0; i < model->scans.count; i++) {
        const struct model_scan *known = model->scans.items[i];
        if (text_equal(known->carrier, carrier) && same_scan(&known->scan, scan))
            return true;
    }
    return false;
}

static void record_scan(struct shipping_model *model, const struct record_scans_command *command,
                        const struct shipping_scan *scan)
{
    char hash[32];
    struct model_scan *kept = model_add(model, &model->scans, sizeof *kept);
    const struct model_shipment *record =
        model_find_number(model, command->carrier, scan->tracking_number);
    kept->carrier = model_keep(model, command->carrier);
    kept->scan = *scan;
    kept->scan.tracking_number = model_keep(model, scan->tracking_number);
    kept->scan.carrier_code = model_keep(model, scan->carrier_code);
    kept->scan.description = model_keep(model, scan->description);
    kept->scan.facility = model_keep(model, scan->facility);
    kept->scan.city = model_keep(model, scan->city);
    kept->scan.country_code = model_keep(model, scan->country_code);
    struct shipping_event event = {
        .type = EVENT_CARRIER_EVENT_RECEIVED,
        .carrier = kept->carrier,
        .scan = &kept->scan,
        .receive_time_us = command->receive_time_us,
    };
    char *key =
        arena_format(&model->arena, "%s/%s", kept->carrier.data, kept->scan.tracking_number.data);
    char *id = arena_allocate_zero(&model->arena, 128, 1);
    CHECK(key != NULL && id != NULL);
    shipping_scan_hash(command->carrier, scan, hash);
    hexadecimal_write(hash, sizeof hash, id);
    strcat(id, "/CarrierEventReceived");
    if (record != NULL) {
        event.shipment_id = record->shipment.shipment_id;
        event.order_id = record->shipment.order_id;
    }
    model_emit(model, &event, record == NULL ? text_of(key) : event.shipment_id, text_of(id));
}

enum shipping_outcome model_record_scans(struct shipping_model *model,
                                         struct record_scans_command *command)
{
    for (size_t i = 0; i < command->scan_count; i++) {
        if (scan_is_known(model, command->carrier, &command->scans[i]))
            continue;
        record_scan(model, command, &command->scans[i]);
        command->new_count++;
    }
    if (command->webhook_id > 0 && command->webhook_id <= model->webhooks.count) {
        struct model_webhook *push = model->webhooks.items[command->webhook_id - 1];
        if (!push->processed) {
            push->is_unread = command->is_unknown_shape;
            push->why = model_keep(model, command->why);
        }
        push->processed = true;
    }
    return SHIPPING_DONE;
}
