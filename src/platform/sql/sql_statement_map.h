#ifndef WAYBILL_PLATFORM_SQL_SQL_STATEMENT_MAP_H
#define WAYBILL_PLATFORM_SQL_SQL_STATEMENT_MAP_H

#include "platform/base/hash_map.h"
#include "platform/sql/sql_session.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What a connection keeps of each statement, by the statement's address: hash_map.h with the one
 * key it needs. Private to platform/sql. Thread: one at a time.
 */

/* Both steps permute 64 bits: two addresses never have one hash, so no keys need comparing. */
static inline uint64_t sql_statement_hash(const struct sql_statement *statement)
{
    uint64_t hash = (uint64_t)(uintptr_t)statement * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 32;
}

static inline bool sql_statement_is_equal(void *context, uint64_t value)
{
    (void)context;
    (void)value;
    return true;
}

static inline bool sql_statement_find(const struct hash_map *map,
                                      const struct sql_statement *statement, uint64_t *value)
{
    return hash_map_find(map, sql_statement_hash(statement), sql_statement_is_equal, NULL, value);
}

#endif
