/*
 * Checks by field, all of them before any answer. What needs the state (is the id another event's,
 * is there room) is the repository's decision.
 */
#include "tracking/application/tracking_service.h"

#include "tracking/domain/limits.h"

static const char id_rule[] = "must be 1 to 64 characters of A-Z a-z 0-9 . _ : -";
static const char optional_id_rule[] = "must be empty or 1 to 64 characters of A-Z a-z 0-9 . _ : -";
static const char time_rule[] = "must be a time from 1970 to 9999";
static const char page_size_rule[] = "must be 0 to 1000";

/* A ping may come from a clock that is ahead, but not by more. */
static const int64_t ping_lead_us_max = INT64_C(86400) * 1000000;

static bool is_optional_id(struct text id)
{
    return id.size <= tracking_id_bytes_max && text_is_identifier(id);
}

static void check_optional_id(struct violations *violations, const char *prefix, const char *field,
                              struct text id)
{
    if (!is_optional_id(id))
        violations_add(violations, optional_id_rule, "%s%s", prefix, field);
}

static bool is_carrier(struct text carrier)
{
    for (size_t i = 0; i < carrier.size; i++) {
        char c = carrier.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return carrier.size > 0 && carrier.size <= tracking_carrier_bytes_max;
}

static void check_carrier(struct violations *violations, const char *prefix, struct text carrier)
{
    if (!is_carrier(carrier))
        violations_add(violations, "must be 1 to 32 characters of a-z 0-9 _ -", "%scarrier",
                       prefix);
}

static void check_number(struct violations *violations, const char *prefix, struct text carrier,
                         struct text tracking_number)
{
    check_carrier(violations, prefix, carrier);
    if (tracking_number.size == 0 || !is_optional_id(tracking_number))
        violations_add(violations, id_rule, "%stracking_number", prefix);
}

/* 0 = not given. */
static void check_optional_time(struct violations *violations, const char *field, int64_t time_us)
{
    if (time_us < 0 || time_us > tracking_time_us_max)
        violations_add(violations, time_rule, "%s", field);
}

static void check_words(struct violations *violations, const char *field, struct text words,
                        size_t bytes_max, const char *rule)
{
    if (words.size > bytes_max || text_has_control(words) || !text_is_utf8(words))
        violations_add(violations, rule, "%s", field);
}

static void check_point(struct violations *violations, const char *field, int32_t latitude_e7,
                        int32_t longitude_e7)
{
    if (latitude_e7 < -tracking_latitude_e7_max || latitude_e7 > tracking_latitude_e7_max)
        violations_add(violations, "must be -900000000 to 900000000", "%s.latitude_e7", field);
    if (longitude_e7 < -tracking_longitude_e7_max || longitude_e7 > tracking_longitude_e7_max)
        violations_add(violations, "must be -1800000000 to 1800000000", "%s.longitude_e7", field);
}

static size_t check_page_size(struct violations *violations, int64_t page_size)
{
    if (page_size < 0 || page_size > tracking_page_size_max) {
        violations_add(violations, page_size_rule, "page_size");
        return 0;
    }
    return page_size == 0 ? tracking_page_size_default : (size_t)page_size;
}

bool tracking_service_create_tracking(struct tracking_service *service,
                                      struct create_tracking_command *command,
                                      struct violations *violations, tracking_done *done,
                                      void *context)
{
    check_number(violations, "", command->carrier, command->tracking_number);
    check_optional_id(violations, "", "shipment_id", command->shipment_id);
    check_optional_id(violations, "", "order_id", command->order_id);
    check_optional_time(violations, "expected_delivery_time", command->expected_delivery_time_us);
    check_optional_time(violations, "start_time", command->start_time_us);
    if (violations->count > 0)
        return false;
    tracking_repository_create_tracking(service->repository, command, done, context);
    return true;
}

static void check_generation(struct violations *violations, int32_t generation)
{
    if (generation < 0 || generation > tracking_generations_max)
        violations_add(violations, "must be 0 or a generation", "generation");
}

bool tracking_service_get_tracking(struct tracking_service *service,
                                   struct get_tracking_command *command,
                                   struct violations *violations, tracking_done *done,
                                   void *context)
{
    check_number(violations, "", command->carrier, command->tracking_number);
    check_generation(violations, command->generation);
    if (violations->count > 0)
        return false;
    tracking_repository_get_tracking(service->repository, command, done, context);
    return true;
}

bool tracking_service_list_trackings(struct tracking_service *service,
                                     struct list_trackings_command *command, int64_t page_size,
                                     struct violations *violations, tracking_done *done,
                                     void *context)
{
    bool has_status = command->status != 0;
    command->page_size = check_page_size(violations, page_size);
    check_optional_id(violations, "", "order_id", command->order_id);
    if ((command->order_id.size > 0) == has_status)
        violations_add(violations, "exactly one of order_id and status must be given", "order_id");
    if (has_status && command->status > TRACKING_STATUS_UNKNOWN)
        violations_add(violations, "must be one of the TrackingStatus values", "status");
    if (violations->count > 0)
        return false;
    tracking_repository_list_trackings(service->repository, command, done, context);
    return true;
}

/* --- RecordEvent --- */

static void check_country(struct violations *violations, const char *field, struct text code)
{
    bool good = code.size == 0 || code.size == tracking_country_bytes;
    for (size_t i = 0; i < code.size && good; i++)
        good = code.data[i] >= 'A' && code.data[i] <= 'Z';
    if (!good)
        violations_add(violations, "must be empty or two capital letters (ISO 3166-1)", "%s",
                       field);
}

static void check_event_words(struct violations *violations, const struct tracking_event *event)
{
    const struct tracking_location *location = &event->location;
    check_words(violations, "event.facility", location->facility, tracking_facility_bytes_max,
                "must be at most 128 bytes without control characters");
    check_words(violations, "event.city", location->city, tracking_city_bytes_max,
                "must be at most 128 bytes without control characters");
    check_country(violations, "event.country_code", location->country_code);
    check_words(violations, "event.carrier_code", event->carrier_code,
                tracking_carrier_code_bytes_max,
                "must be at most 32 bytes without control characters");
    check_words(violations, "event.description", event->description, tracking_description_bytes_max,
                "must be at most 256 bytes without control characters");
    check_words(violations, "event.source", event->source, tracking_source_bytes_max,
                "must be 1 to 64 bytes without control characters");
    if (event->source.size == 0)
        violations_add(violations, "must be 1 to 64 bytes without control characters",
                       "event.source");
    if (event->payload.size > tracking_payload_bytes_max)
        violations_add(violations, "must be at most 4096 bytes", "event.payload");
}

static void check_event(struct violations *violations, const struct tracking_event *event)
{
    const struct tracking_location *location = &event->location;
    check_number(violations, "event.", event->carrier, event->tracking_number);
    check_optional_id(violations, "event.", "event_id", event->event_id);
    check_optional_id(violations, "event.", "corrects_event_id", event->corrects_event_id);
    if (event->type < TRACKING_EVENT_UNSPECIFIED || event->type > TRACKING_EVENT_CANCELLED)
        violations_add(violations, "must be one of the TrackingEventType values", "event.type");
    if (event->type == TRACKING_EVENT_UNSPECIFIED && event->carrier_code.size == 0)
        violations_add(violations, "must be given where carrier_code is not", "event.type");
    if (event->occurred_time_us < 1 || event->occurred_time_us > tracking_time_us_max)
        violations_add(violations, time_rule, "event.occurred_time");
    check_optional_time(violations, "event.expected_delivery_time",
                        event->expected_delivery_time_us);
    if (event->has_utc_offset && (event->utc_offset_minutes < -tracking_utc_offset_minutes_max ||
                                  event->utc_offset_minutes > tracking_utc_offset_minutes_max))
        violations_add(violations, "must be -1080 to 1080", "event.utc_offset_minutes");
    if (event->utc_offset_source < UTC_OFFSET_UNKNOWN ||
        event->utc_offset_source > UTC_OFFSET_PLACE)
        violations_add(violations, "must be one of the UtcOffsetSource values",
                       "event.utc_offset_source");
    if (location->has_point)
        check_point(violations, "event.point", location->latitude_e7, location->longitude_e7);
    check_event_words(violations, event);
}

bool tracking_service_record_event(struct tracking_service *service,
                                   struct record_event_command *command,
                                   struct violations *violations, tracking_done *done,
                                   void *context)
{
    struct tracking_event *event = &command->event;
    check_event(violations, event);
    if (violations->count > 0)
        return false;
    event->type_is_mapped = event->type == TRACKING_EVENT_UNSPECIFIED;
    code_maps_apply(service->code_maps, 0, event);
    if (event->event_id.size == 0) {
        tracking_event_content_id(event, command->content_id);
        event->event_id = text_make(command->content_id, sizeof command->content_id);
    }
    tracking_repository_record_event(service->repository, command, done, context);
    return true;
}

struct text tracking_service_reason(const struct tracking_service *service,
                                    const struct tracking_event *event)
{
    const struct code_map *map = code_maps_find(service->code_maps, event->carrier);
    if (map == NULL)
        return text_make("", 0);
    int32_t version = event->map_version == 0 ? map->newest_version : event->map_version;
    const struct code_map_line *line = code_map_find(map, event->carrier_code, version);
    bool fits = line != NULL && line->sub_status == event->sub_status;
    return fits ? line->reason : text_make("", 0);
}

/* --- the others --- */

bool tracking_service_record_ping(struct tracking_service *service,
                                  struct record_ping_command *command,
                                  struct violations *violations, tracking_done *done, void *context)
{
    check_number(violations, "", command->carrier, command->tracking_number);
    check_point(violations, "point", command->latitude_e7, command->longitude_e7);
    if (command->time_us < 1 || command->time_us > clock_now_us(service->clock) + ping_lead_us_max)
        violations_add(violations, "must be a time from 1970 on, at most a day ahead", "time");
    if (violations->count > 0)
        return false;
    tracking_repository_record_ping(service->repository, command, done, context);
    return true;
}

bool tracking_service_list_events(struct tracking_service *service,
                                  struct list_events_command *command, int64_t page_size,
                                  struct violations *violations, tracking_done *done, void *context)
{
    check_number(violations, "", command->carrier, command->tracking_number);
    check_generation(violations, command->generation);
    check_optional_time(violations, "from_time", command->from_us);
    check_optional_time(violations, "to_time", command->to_us);
    command->page_size = check_page_size(violations, page_size);
    if (violations->count > 0)
        return false;
    if (command->to_us == 0)
        command->to_us = INT64_MAX;
    tracking_repository_list_events(service->repository, command, done, context);
    return true;
}

bool tracking_service_remap_trackings(struct tracking_service *service,
                                      struct remap_trackings_command *command,
                                      struct violations *violations, tracking_done *done,
                                      void *context)
{
    const struct code_map *map = code_maps_find(service->code_maps, command->carrier);
    check_carrier(violations, "", command->carrier);
    if (violations->count == 0 && map == NULL)
        violations_add(violations, "must be a carrier with a code map", "carrier");
    if (map != NULL && (command->map_version < 0 || command->map_version > map->newest_version))
        violations_add(violations, "must be 0 or a version of the carrier's map", "map_version");
    if (violations->count > 0)
        return false;
    command->maps = service->code_maps;
    if (command->map_version == 0)
        command->map_version = map->newest_version;
    tracking_repository_remap_trackings(service->repository, command, done, context);
    return true;
}

bool tracking_service_erase_tracking(struct tracking_service *service,
                                     struct erase_tracking_command *command,
                                     struct violations *violations, tracking_done *done,
                                     void *context)
{
    check_number(violations, "", command->carrier, command->tracking_number);
    if (violations->count > 0)
        return false;
    tracking_repository_erase_tracking(service->repository, command, done, context);
    return true;
}

bool tracking_service_check_watch(const struct tracking_key *keys, size_t key_count,
                                  struct text order_id, struct violations *violations)
{
    check_optional_id(violations, "", "order_id", order_id);
    if ((key_count > 0) == (order_id.size > 0))
        violations_add(violations, "exactly one of trackings and order_id must be given",
                       "trackings");
    for (size_t i = 0; i < key_count; i++) {
        if (!is_carrier(keys[i].carrier))
            violations_add(violations, "must be 1 to 32 characters of a-z 0-9 _ -",
                           "trackings[%zu].carrier", i);
        if (keys[i].tracking_number.size == 0 || !is_optional_id(keys[i].tracking_number))
            violations_add(violations, id_rule, "trackings[%zu].tracking_number", i);
    }
    return violations->count == 0;
}
