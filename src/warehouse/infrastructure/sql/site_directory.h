#ifndef WAYBILL_WAREHOUSE_INFRASTRUCTURE_SQL_SITE_DIRECTORY_H
#define WAYBILL_WAREHOUSE_INFRASTRUCTURE_SQL_SITE_DIRECTORY_H

#include "platform/base/arena.h"
#include "platform/base/time_zone.h"
#include "warehouse/domain/site.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * All warehouses with their working days, time zones and present cost cards, as remembered by this
 * process. They change rarely and every allocation needs them all, so they are read again only when
 * the revision in the database has grown, which every script asks first. A directory is never
 * changed; who uses one holds it. Thread: any.
 */
struct step;

struct site_directory {
    _Atomic uint64_t holders;
    int64_t revision;
    struct arena arena;
    struct site *sites;       /* by priority, then warehouse_id */
    struct time_zone **zones; /* of each site */
    size_t count;
};

struct site_directory_cache {
    pthread_mutex_t mutex;
    struct site_directory *latest; /* NULL = none yet */
};

void site_directory_cache_init(struct site_directory_cache *cache);
void site_directory_cache_deinit(struct site_directory_cache *cache);

/*
 * The directory of the revision that the step has read from warehouse_directory. False: a statement
 * failed, or there is no memory (the step's error is set). Release it when the step ends.
 */
bool site_directory_hold(struct step *step, int64_t revision, struct site_directory **directory);

/* NULL is allowed. */
void site_directory_release(struct site_directory *directory);

/* Tells other steps and processes that warehouses or cards have changed. False: failed. */
bool site_directory_touch(struct step *step);

#endif
