#ifndef WAYBILL_TRACKING_DOMAIN_TRACKING_EVENT_H
#define WAYBILL_TRACKING_DOMAIN_TRACKING_EVENT_H

#include "platform/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What happened to a parcel, once: a scan, a notice, a delivery. Values are those of the interface.
 * All functions are pure.
 */
enum tracking_event_type {
    TRACKING_EVENT_UNSPECIFIED, /* says nothing about the status */
    TRACKING_EVENT_INFO_RECEIVED,
    TRACKING_EVENT_PICKED_UP,
    TRACKING_EVENT_IN_TRANSIT,
    TRACKING_EVENT_AT_FACILITY,
    TRACKING_EVENT_OUT_FOR_DELIVERY,
    TRACKING_EVENT_DELIVERED,
    TRACKING_EVENT_EXCEPTION,
    TRACKING_EVENT_RETURNED,
    TRACKING_EVENT_CANCELLED,
};
enum { tracking_event_type_count = TRACKING_EVENT_CANCELLED + 1 };

/*
 * What is finer than the type, in words of ours, from a carrier's code map. The numbers are in
 * records on disk: only add at the end.
 */
#define TRACKING_SUB_STATUS_MAP(X)                                                                 \
    X(NONE, "")                                                                                    \
    X(LABEL_CREATED, "LABEL_CREATED")                                                              \
    X(DROPPED_OFF, "DROPPED_OFF")                                                                  \
    X(COLLECTED, "COLLECTED")                                                                      \
    X(DEPARTED, "DEPARTED")                                                                        \
    X(ARRIVED, "ARRIVED")                                                                          \
    X(SORTED, "SORTED")                                                                            \
    X(HANDED_OVER, "HANDED_OVER")                                                                  \
    X(CUSTOMS_IN_PROGRESS, "CUSTOMS_IN_PROGRESS")                                                  \
    X(CUSTOMS_CLEARED, "CUSTOMS_CLEARED")                                                          \
    X(CUSTOMS_HOLD, "CUSTOMS_HOLD")                                                                \
    X(AVAILABLE_FOR_PICKUP, "AVAILABLE_FOR_PICKUP")                                                \
    X(ON_VEHICLE, "ON_VEHICLE")                                                                    \
    X(DELIVERY_ATTEMPTED, "DELIVERY_ATTEMPTED")                                                    \
    X(ADDRESS_PROBLEM, "ADDRESS_PROBLEM")                                                          \
    X(REFUSED, "REFUSED")                                                                          \
    X(DAMAGED, "DAMAGED")                                                                          \
    X(LOST, "LOST")                                                                                \
    X(DELAYED, "DELAYED")                                                                          \
    X(WEATHER, "WEATHER")                                                                          \
    X(MISROUTED, "MISROUTED")                                                                      \
    X(HELD, "HELD")                                                                                \
    X(PAYMENT_DUE, "PAYMENT_DUE")                                                                  \
    X(PARTIALLY_DELIVERED, "PARTIALLY_DELIVERED")                                                  \
    X(DELIVERED_DAMAGED, "DELIVERED_DAMAGED")                                                      \
    X(RETURN_STARTED, "RETURN_STARTED")                                                            \
    X(RETURNED_TO_SENDER, "RETURNED_TO_SENDER")                                                    \
    X(VOIDED, "VOIDED")                                                                            \
    X(RESCHEDULED, "RESCHEDULED")                                                                  \
    X(DISPOSED, "DISPOSED")

#define TRACKING_SUB_STATUS_ENUM(code, text) TRACKING_SUB_STATUS_##code,
enum tracking_sub_status { TRACKING_SUB_STATUS_MAP(TRACKING_SUB_STATUS_ENUM) };
#undef TRACKING_SUB_STATUS_ENUM
enum { tracking_sub_status_count = TRACKING_SUB_STATUS_DISPOSED + 1 };

/* Where a local time's offset comes from. */
enum utc_offset_source { UTC_OFFSET_UNKNOWN, UTC_OFFSET_CARRIER, UTC_OFFSET_PLACE };
enum { utc_offset_source_count = UTC_OFFSET_PLACE + 1 };

struct tracking_location {
    bool has_point;
    int32_t latitude_e7;
    int32_t longitude_e7;
    struct text facility;
    struct text city;
    struct text country_code;
};

struct tracking_event {
    struct text event_id;
    struct text carrier;
    struct text tracking_number;
    enum tracking_event_type type; /* that counts, whoever decided it */
    bool type_is_mapped;           /* it came without one: a code map decided */
    enum tracking_sub_status sub_status;
    int32_t map_version; /* of the map asked; 0 = none was */
    int64_t occurred_time_us;
    bool has_utc_offset;
    int32_t utc_offset_minutes;
    enum utc_offset_source utc_offset_source;
    struct tracking_location location;
    struct text carrier_code; /* as it came */
    struct text description;
    struct text source;
    struct text corrects_event_id;
    struct text payload;               /* as it came */
    int64_t expected_delivery_time_us; /* 0 = it says nothing */
    int64_t record_time_us;            /* the store's; 0 before */
    bool withdrawn;                    /* as read: another event corrects it */
};

enum { tracking_content_id_bytes = 32 };

/*
 * The id of an event that brought none: a hash of its content. What is no content: source, payload,
 * the source of the offset, and what a map or the store added; so a scan that comes by webhook and
 * again by a poller is one event.
 */
void tracking_event_content_id(const struct tracking_event *event,
                               char id[tracking_content_id_bytes]);

/* Whether two events with one id are the same event: the content above, their ids apart. */
bool tracking_event_same_content(const struct tracking_event *a, const struct tracking_event *b);

bool tracking_location_is_known(const struct tracking_location *location);

/* "CUSTOMS_HOLD"; "" for NONE. */
const char *tracking_sub_status_text(enum tracking_sub_status sub_status);

/* "IN_TRANSIT"; "UNSPECIFIED". */
const char *tracking_event_type_text(enum tracking_event_type type);

/* False if there is none of that name. "" is NONE. */
bool tracking_sub_status_from_text(struct text text, enum tracking_sub_status *sub_status);
bool tracking_event_type_from_text(struct text text, enum tracking_event_type *type);

#endif
