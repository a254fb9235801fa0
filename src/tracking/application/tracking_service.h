#ifndef WAYBILL_TRACKING_APPLICATION_TRACKING_SERVICE_H
#define WAYBILL_TRACKING_APPLICATION_TRACKING_SERVICE_H

#include "platform/base/clock.h"
#include "platform/base/violations.h"
#include "tracking/domain/code_map.h"
#include "tracking/domain/tracking_repository.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The use cases of tracking: every field is checked, an event without a type gets one from its
 * carrier's code map, one without an id gets it from its content; then the repository decides.
 *
 * Each function answers false if the request is wrong: then every violation is in `violations` with
 * its path, nothing was sent to the repository, `done` is not called. Otherwise as the repository.
 * Thread: as the repository's.
 */
struct tracking_service {
    struct tracking_repository *repository;
    const struct code_maps *code_maps;
    struct clock *clock;
};

bool tracking_service_create_tracking(struct tracking_service *service,
                                      struct create_tracking_command *command,
                                      struct violations *violations, tracking_done *done,
                                      void *context);

bool tracking_service_get_tracking(struct tracking_service *service,
                                   struct get_tracking_command *command,
                                   struct violations *violations, tracking_done *done,
                                   void *context);

/* `page_size` 0 = the default. */
bool tracking_service_list_trackings(struct tracking_service *service,
                                     struct list_trackings_command *command, int64_t page_size,
                                     struct violations *violations, tracking_done *done,
                                     void *context);

/*
 * The event's type is as it came, UNSPECIFIED for none; what maps and store add is empty. An id of
 * its own making has its room in the command.
 */
bool tracking_service_record_event(struct tracking_service *service,
                                   struct record_event_command *command,
                                   struct violations *violations, tracking_done *done,
                                   void *context);

bool tracking_service_record_ping(struct tracking_service *service,
                                  struct record_ping_command *command,
                                  struct violations *violations, tracking_done *done,
                                  void *context);

bool tracking_service_list_events(struct tracking_service *service,
                                  struct list_events_command *command, int64_t page_size,
                                  struct violations *violations, tracking_done *done,
                                  void *context);

/* map_version 0 = the newest; it is set to what it means. */
bool tracking_service_remap_trackings(struct tracking_service *service,
                                      struct remap_trackings_command *command,
                                      struct violations *violations, tracking_done *done,
                                      void *context);

bool tracking_service_erase_tracking(struct tracking_service *service,
                                     struct erase_tracking_command *command,
                                     struct violations *violations, tracking_done *done,
                                     void *context);

/* The numbers or the order of WatchTracking: exactly one of both must be given. */
bool tracking_service_check_watch(const struct tracking_key *keys, size_t key_count,
                                  struct text order_id, struct violations *violations);

/* The carrier's reason for an event, from the map that decided it; empty if there is none. */
struct text tracking_service_reason(const struct tracking_service *service,
                                    const struct tracking_event *event);

#endif
