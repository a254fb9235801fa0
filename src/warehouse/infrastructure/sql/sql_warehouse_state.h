#ifndef WAYBILL_WAREHOUSE_INFRASTRUCTURE_SQL_SQL_WAREHOUSE_STATE_H
#define WAYBILL_WAREHOUSE_INFRASTRUCTURE_SQL_SQL_WAREHOUSE_STATE_H

#include "warehouse/infrastructure/sql/site_directory.h"
#include "warehouse/infrastructure/sql/sql_warehouse_repository.h"

#include <pthread.h>
#include <stdbool.h>

/* The repository as its own files see it. */
struct sql_warehouse_repository {
    struct warehouse_repository base;
    struct sql_warehouse_options options;
    struct sql_store *store;
    warehouse_event_encode *encode;
    struct sql_outbox *outbox;
    struct site_directory_cache directory;

    pthread_t sweeper;
    bool is_sweeping;
    pthread_mutex_t mutex; /* of the two below */
    pthread_cond_t wake;
    bool stopping;
};

#endif
