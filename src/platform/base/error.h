#ifndef WAYBILL_PLATFORM_BASE_ERROR_H
#define WAYBILL_PLATFORM_BASE_ERROR_H

#include <stdbool.h>

/*
 * Operating errors: what a disk, a socket, a store or a setting may do to us. A domain outcome
 * (insufficient stock, unknown id) is not one: that is an enum in a result; a programmer's mistake
 * is CHECK().
 *
 * One map for the whole product (DESIGN section 3, Errors): code, the text for people, the gRPC
 * status it becomes at the door, the ErrorInfo reason ("" = none), whether the same call may be
 * sent again.
 */
#define ERROR_MAP(X)                                                                               \
    X(NONE, "no error", GRPC_STATUS_OK, "", false)                                                 \
    X(INVALID_SETTING, "invalid setting", GRPC_STATUS_INVALID_ARGUMENT, "INVALID_FIELD", false)    \
    X(INVALID_INPUT, "invalid input", GRPC_STATUS_INVALID_ARGUMENT, "INVALID_FIELD", false)        \
    X(NOT_FOUND, "not found", GRPC_STATUS_NOT_FOUND, "", false)                                    \
    X(OUT_OF_MEMORY, "out of memory", GRPC_STATUS_RESOURCE_EXHAUSTED, "OVERLOADED", true)          \
    X(OVERLOADED, "queue full", GRPC_STATUS_RESOURCE_EXHAUSTED, "OVERLOADED", true)                \
    X(LIMIT, "limit exceeded", GRPC_STATUS_RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE", false)         \
    X(DISK_FULL, "disk full", GRPC_STATUS_RESOURCE_EXHAUSTED, "DISK_FULL", true)                   \
    X(RETENTION_FULL, "too many ids retained", GRPC_STATUS_RESOURCE_EXHAUSTED, "RETENTION_FULL",   \
      true)                                                                                        \
    X(OUTBOX_FULL, "too many events wait for the relay", GRPC_STATUS_RESOURCE_EXHAUSTED,           \
      "OUTBOX_FULL", true)                                                                         \
    X(CURSOR_EXPIRED, "cursor expired", GRPC_STATUS_OUT_OF_RANGE, "CURSOR_EXPIRED", false)         \
    X(INPUT_OUTPUT, "input/output error", GRPC_STATUS_UNAVAILABLE, "STORE_UNAVAILABLE", true)      \
    X(DAMAGED, "damaged data", GRPC_STATUS_DATA_LOSS, "LEDGER_MISMATCH", false)                    \
    X(LOCKED, "in use by another process", GRPC_STATUS_UNAVAILABLE, "STORE_UNAVAILABLE", false)    \
    X(STORE_UNAVAILABLE, "store unavailable", GRPC_STATUS_UNAVAILABLE, "STORE_UNAVAILABLE", true)  \
    X(NETWORK, "network error", GRPC_STATUS_UNAVAILABLE, "", true)                                 \
    X(PROTOCOL, "protocol error", GRPC_STATUS_INTERNAL, "", false)                                 \
    X(DEADLINE, "deadline exceeded", GRPC_STATUS_DEADLINE_EXCEEDED, "", true)                      \
    X(CANCELLED, "cancelled", GRPC_STATUS_CANCELLED, "", true)                                     \
    X(INTERNAL, "internal error", GRPC_STATUS_INTERNAL, "", false)

/* Status codes as gRPC numbers them (grpc/doc/statuscodes.md). */
enum grpc_status {
    GRPC_STATUS_OK = 0,
    GRPC_STATUS_CANCELLED = 1,
    GRPC_STATUS_UNKNOWN = 2,
    GRPC_STATUS_INVALID_ARGUMENT = 3,
    GRPC_STATUS_DEADLINE_EXCEEDED = 4,
    GRPC_STATUS_NOT_FOUND = 5,
    GRPC_STATUS_ALREADY_EXISTS = 6,
    GRPC_STATUS_PERMISSION_DENIED = 7,
    GRPC_STATUS_RESOURCE_EXHAUSTED = 8,
    GRPC_STATUS_FAILED_PRECONDITION = 9,
    GRPC_STATUS_ABORTED = 10,
    GRPC_STATUS_OUT_OF_RANGE = 11,
    GRPC_STATUS_UNIMPLEMENTED = 12,
    GRPC_STATUS_INTERNAL = 13,
    GRPC_STATUS_UNAVAILABLE = 14,
    GRPC_STATUS_DATA_LOSS = 15,
    GRPC_STATUS_UNAUTHENTICATED = 16,
};

#define ERROR_ENUM(code, text, status, reason, retry) ERROR_##code,
enum error_code { ERROR_MAP(ERROR_ENUM) };
#undef ERROR_ENUM

/* Code and, for people, what happened where. A value; nothing to release. */
struct error {
    enum error_code code;
    char detail[252];
};

/* The absence of an error. */
__attribute__((warn_unused_result)) struct error error_none(void);

/* An error with a formatted detail, cut at 251 bytes. */
__attribute__((format(printf, 2, 3), warn_unused_result)) struct error error_make(
    enum error_code code, const char *format, ...);

/* The same with the text of an errno; ENOSPC and EDQUOT become ERROR_DISK_FULL, ENOENT
 * ERROR_NOT_FOUND. */
__attribute__((format(printf, 2, 3), warn_unused_result)) struct error error_from_errno(
    int error_number, const char *format, ...);

/* The error with "prefix: " before its detail: for the way up. */
__attribute__((format(printf, 2, 3), warn_unused_result)) struct error error_prefix(
    struct error error, const char *format, ...);

bool error_is(struct error error);

/* From ERROR_MAP. */
const char *error_text(enum error_code code);
enum grpc_status error_grpc_status(enum error_code code);
const char *error_reason(enum error_code code);
bool error_may_retry(enum error_code code);

/* "INVALID_ARGUMENT" and so on; "UNKNOWN" for a number that gRPC does not have. */
const char *grpc_status_name(enum grpc_status status);

#endif
