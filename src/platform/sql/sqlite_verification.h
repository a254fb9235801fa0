#ifndef WAYBILL_PLATFORM_SQL_SQLITE_VERIFICATION_H
#define WAYBILL_PLATFORM_SQL_SQLITE_VERIFICATION_H

#include "platform/base/error.h"

#include <stdint.h>

/* What was looked through. */
struct sqlite_verification {
    int64_t tables;
    int64_t rows; /* of all tables */
};

/*
 * For `waybill verify`: reads every page, index and reference of a database file that no server has
 * open. Nothing is changed. Errors: DAMAGED (with SQLite's words), NOT_FOUND, INPUT_OUTPUT,
 * OUT_OF_MEMORY.
 */
__attribute__((warn_unused_result)) struct error sqlite_verify(const char *path,
                                                               struct sqlite_verification *found);

#endif
