#ifndef WAYBILL_CARRIER_SIMULATOR_SIMULATOR_EXCHANGE_H
#define WAYBILL_CARRIER_SIMULATOR_SIMULATOR_EXCHANGE_H

#include "platform/base/arena.h"
#include "platform/base/buffer.h"
#include "platform/base/text.h"
#include "platform/http/http_exchange.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A request as the wire contracts read it, their answer, what goes wrong on the way, and the forms
 * of times and texts in both. State is no concern of this file.
 */
enum simulator_carrier { SIMULATOR_UPS, SIMULATOR_FEDEX, SIMULATOR_DHL };
enum { simulator_carrier_count = SIMULATOR_DHL + 1 };

/* "ups", "fedex", "dhl". */
const char *simulator_carrier_name(enum simulator_carrier carrier);

enum simulator_fault {
    SIMULATOR_FAULT_NONE,
    SIMULATOR_FAULT_THROTTLED,     /* 429, nothing done */
    SIMULATOR_FAULT_ERROR_BEFORE,  /* 5xx, nothing done */
    SIMULATOR_FAULT_HANG_UP,       /* the connection is cut, nothing done */
    SIMULATOR_FAULT_SILENT_AFTER,  /* done and charged, no answer ever */
    SIMULATOR_FAULT_HANG_UP_AFTER, /* done and charged, the connection is cut */
    SIMULATOR_FAULT_ERROR_AFTER,   /* done and charged, 5xx */
    SIMULATOR_FAULT_NULL_FIELD,    /* done; a value of the answer is null */
    SIMULATOR_FAULT_MALFORMED,     /* done; the answer ends in the middle */
    SIMULATOR_FAULT_SLOW,          /* done; the answer comes in small pieces */
};
enum { simulator_fault_count = SIMULATOR_FAULT_SLOW + 1 };

struct simulator_request {
    enum http_request_method method;
    struct text path; /* without query */
    struct text query;
    struct text body;
    struct text sample; /* header x-sample: a status, or part of a file's name */
    bool authorized;
    struct arena *arena;
    json_t *root; /* of the body; NULL = no JSON */
};

struct simulator_answer {
    unsigned status;
    struct buffer body;
    unsigned retry_after_seconds; /* 0 = none */
    int64_t after_ms;             /* when it leaves */
    enum simulator_fault fault;
    const char *media_type; /* NULL = JSON */
    char sample[256];       /* the file that answered; empty = none */
};

/* "20260601", "095004", "2026-06-01T09:50:04" of a UTC time. */
void simulator_date(int64_t time_us, char date[9]);
void simulator_clock(int64_t time_us, char clock[7]);
void simulator_iso(int64_t time_us, char iso[20]);

/* Cut to the size. More out of requests: shipping/infrastructure/carriers/carrier_json.h. */
void simulator_copy(char *out, size_t size, struct text text);

/* Parameter of a query, not decoded; empty = absent. */
struct text simulator_parameter(struct text query, const char *name);

#endif
