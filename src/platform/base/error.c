/* The error map as functions. Details are cut, never lost: the code always arrives. */
#include "platform/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct error_row {
    const char *text;
    enum grpc_status status;
    const char *reason;
    bool retry;
};

#define ERROR_ROW(code, text, status, reason, retry) {text, status, reason, retry},
static const struct error_row error_rows[] = {ERROR_MAP(ERROR_ROW)};
#undef ERROR_ROW

struct error error_none(void)
{
    struct error error;
    error.code = ERROR_NONE;
    error.detail[0] = '\0';
    return error;
}

struct error error_make(enum error_code code, const char *format, ...)
{
    struct error error = {.code = code};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error.detail, sizeof error.detail, format, arguments);
    va_end(arguments);
    return error;
}

static enum error_code code_of_errno(int error_number)
{
    if (error_number == ENOSPC || error_number == EDQUOT)
        return ERROR_DISK_FULL;
    if (error_number == ENOENT)
        return ERROR_NOT_FOUND;
    if (error_number == ENOMEM)
        return ERROR_OUT_OF_MEMORY;
    return ERROR_INPUT_OUTPUT;
}

struct error error_from_errno(int error_number, const char *format, ...)
{
    struct error error = {.code = code_of_errno(error_number)};
    char reason[96];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error.detail, sizeof error.detail, format, arguments);
    va_end(arguments);
    size_t used = strlen(error.detail);
    snprintf(error.detail + used, sizeof error.detail - used, ": %s",
             strerror_r(error_number, reason, sizeof reason));
    return error;
}

struct error error_prefix(struct error error, const char *format, ...)
{
    char prefix[128];
    struct error longer = {.code = error.code};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    size_t used = strlen(prefix);
    size_t left = sizeof longer.detail - 1 - used - 2;
    size_t kept = strnlen(error.detail, left);
    memcpy(longer.detail, prefix, used);
    memcpy(longer.detail + used, ": ", 2);
    memcpy(longer.detail + used + 2, error.detail, kept);
    longer.detail[used + 2 + kept] = '\0';
    return longer;
}

bool error_is(struct error error)
{
    return error.code != ERROR_NONE;
}

const char *error_text(enum error_code code)
{
    return error_rows[code].text;
}

enum grpc_status error_grpc_status(enum error_code code)
{
    return error_rows[code].status;
}

const char *error_reason(enum error_code code)
{
    return error_rows[code].reason;
}

bool error_may_retry(enum error_code code)
{
    return error_rows[code].retry;
}

const char *grpc_status_name(enum grpc_status status)
{
    switch (status) {
    case GRPC_STATUS_OK:
        return "OK";
    case GRPC_STATUS_CANCELLED:
        return "CANCELLED";
    case GRPC_STATUS_UNKNOWN:
        return "UNKNOWN";
    case GRPC_STATUS_INVALID_ARGUMENT:
        return "INVALID_ARGUMENT";
    case GRPC_STATUS_DEADLINE_EXCEEDED:
        return "DEADLINE_EXCEEDED";
    case GRPC_STATUS_NOT_FOUND:
        return "NOT_FOUND";
    case GRPC_STATUS_ALREADY_EXISTS:
        return "ALREADY_EXISTS";
    case GRPC_STATUS_PERMISSION_DENIED:
        return "PERMISSION_DENIED";
    case GRPC_STATUS_RESOURCE_EXHAUSTED:
        return "RESOURCE_EXHAUSTED";
    case GRPC_STATUS_FAILED_PRECONDITION:
        return "FAILED_PRECONDITION";
    case GRPC_STATUS_ABORTED:
        return "ABORTED";
    case GRPC_STATUS_OUT_OF_RANGE:
        return "OUT_OF_RANGE";
    case GRPC_STATUS_UNIMPLEMENTED:
        return "UNIMPLEMENTED";
    case GRPC_STATUS_INTERNAL:
        return "INTERNAL";
    case GRPC_STATUS_UNAVAILABLE:
        return "UNAVAILABLE";
    case GRPC_STATUS_DATA_LOSS:
        return "DATA_LOSS";
    case GRPC_STATUS_UNAUTHENTICATED:
        return "UNAUTHENTICATED";
    }
    return "UNKNOWN";
}
