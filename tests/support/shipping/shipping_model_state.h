#ifndef WAYBILL_TESTS_SUPPORT_SHIPPING_SHIPPING_MODEL_STATE_H
#define WAYBILL_TESTS_SUPPORT_SHIPPING_SHIPPING_MODEL_STATE_H

#include "tests/support/shipping/shipping_model.h"

#include <stdint.h>

/* What the model's files share. */
enum { whole = -1 };

struct model_label {
    int parcel; /* `whole` = of the shipment */
    struct carrier_label label;
};

struct model_shipment {
    struct shipment shipment;
    struct shipment_parcel *parcels; /* the same as shipment.parcels */
    bool bought_again;               /* the latest decision of a person */
    struct model_label *labels;
    size_t label_count;
};

struct model_webhook {
    struct shipping_webhook webhook;
    bool processed;
    bool is_unread; /* processed, of unknown shape */
    struct text why;
};

struct model_scan {
    struct text carrier;
    struct shipping_scan scan;
};

/* A list that grows; elements are never moved away. */
struct list {
    void **items;
    size_t count;
    size_t capacity;
};

struct shipping_model {
    struct shipping_repository base;
    struct clock *clock;
    shipping_event_encode *encode;
    int64_t now_us;
    struct arena arena;
    struct list shipments, webhooks, scans, audit, events, unwanted;
    enum shipping_command_kind failing_kind;
    enum error_code failing_code; /* NONE = nothing fails */
    bool failing_is_done;
};

/* A new element of `size` bytes, all zero, on the model's arena. */
void *model_add(struct shipping_model *model, struct list *list, size_t size);
struct text model_keep(struct shipping_model *model, struct text text);

struct model_shipment *model_find(struct shipping_model *model, struct text shipment_id);
struct model_shipment *model_find_number(struct shipping_model *model, struct text carrier,
                                         struct text number);

/* Of the whole or of a parcel. */
bool model_has_number(const struct model_shipment *record, struct text number);

/* Copies the record into the command's result; SHIPMENT_NOT_FOUND if there is none. */
enum shipping_outcome model_show(struct shipping_command *command,
                                 const struct model_shipment *record, struct shipment *shipment,
                                 enum shipping_outcome outcome);

void model_note(struct shipping_model *model, const struct shipment *shipment, uint32_t attempt,
                const char *what, struct text why);
void model_emit(struct shipping_model *model, const struct shipping_event *event, struct text key,
                struct text event_id);

/* A label for an attempt that is over; nothing, if it is known by its number. */
void model_add_unwanted(struct shipping_model *model, const struct shipment *shipment,
                        uint32_t attempt, struct text number);

/* SENT of before then is UNKNOWN. */
void model_sweep_sent(struct shipping_model *model, int64_t before_us);

/* The decisions, each on its command. */
enum shipping_outcome model_begin(struct shipping_model *model,
                                  struct begin_shipment_command *command);
enum shipping_outcome model_mark_sent(struct shipping_model *model,
                                      struct mark_sent_command *command);
enum shipping_outcome model_record_purchase(struct shipping_model *model,
                                            struct record_purchase_command *command);
enum shipping_outcome model_record_lookup(struct shipping_model *model,
                                          struct record_lookup_command *command);
enum shipping_outcome model_begin_cancel(struct shipping_model *model,
                                         struct cancel_shipment_command *command);
enum shipping_outcome model_end_cancel(struct shipping_model *model,
                                       struct cancel_shipment_command *command);
enum shipping_outcome model_resolve(struct shipping_model *model,
                                    struct resolve_shipment_command *command);
enum shipping_outcome model_list_shipments(struct shipping_model *model,
                                           struct list_shipments_command *command);
enum shipping_outcome model_list_unfinished(struct shipping_model *model,
                                            struct list_unfinished_command *command);
enum shipping_outcome model_get_label(struct shipping_model *model,
                                      struct get_label_command *command);
enum shipping_outcome model_keep_audit(struct shipping_model *model,
                                       struct keep_audit_command *command);
enum shipping_outcome model_list_audit(struct shipping_model *model,
                                       struct list_audit_command *command);
enum shipping_outcome model_keep_webhook(struct shipping_model *model,
                                         struct keep_webhook_command *command);
enum shipping_outcome model_list_webhooks(struct shipping_model *model,
                                          struct list_webhooks_command *command);
enum shipping_outcome model_record_scans(struct shipping_model *model,
                                         struct record_scans_command *command);
enum shipping_outcome model_list_unread(struct shipping_model *model,
                                        struct list_unread_pushes_command *command);
enum shipping_outcome model_replay_pushes(struct shipping_model *model,
                                          struct replay_pushes_command *command);
enum shipping_outcome model_list_unwanted(struct shipping_model *model,
                                          struct list_unwanted_labels_command *command);
enum shipping_outcome model_change_unwanted(struct shipping_model *model,
                                            struct change_unwanted_label_command *command);
void model_count_open(const struct shipping_model *model, struct shipping_open_counts *counts);

#endif
