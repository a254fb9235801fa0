#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_HTTP_CARRIER_CALL_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_HTTP_CARRIER_CALL_H

#include "platform/base/arena.h"
#include "platform/resilience/retry.h"
#include "shipping/domain/carrier.h"
#include "shipping/infrastructure/carriers/carrier_admission.h"
#include "shipping/infrastructure/carriers/carrier_protocol.h"

/*
 * One call to a carrier behind HTTP: what was asked, the bytes that ask it, who gets the answer.
 * Owned by http_carrier.c from its start to its end. Thread: the loop's.
 */
struct http_carrier;

enum carrier_operation {
    CARRIER_OPERATION_TOKEN,
    CARRIER_OPERATION_RATE,
    CARRIER_OPERATION_CREATE,
    CARRIER_OPERATION_CANCEL,
    CARRIER_OPERATION_TRACK,
    CARRIER_OPERATION_FIND,
    CARRIER_OPERATION_RECOVER, /* the second half of a find: the labels */
};

const char *carrier_operation_name(enum carrier_operation operation);

struct carrier_call {
    struct carrier_call *previous; /* of those that wait */
    struct carrier_call *next;
    struct http_carrier *carrier;
    enum carrier_operation operation;
    struct carrier_wire wire;
    struct arena arena; /* of the answer */
    struct text shipment_id;
    union {
        carrier_rate_done *rate;
        carrier_shipment_done *shipment;
        carrier_cancel_done *cancel;
        carrier_tracking_done *tracking;
        carrier_find_done *find;
    } done;
    void *context;
    union {
        struct carrier_rates rates;
        struct carrier_shipment shipment;
        struct carrier_tracking tracking;
        struct carrier_matches matches;
    } result;
    int64_t deadline_us;  /* monotonic, as all but the next */
    int64_t sent_time_us; /* UTC */
    int64_t sent_us;
    int64_t not_before_us; /* of a repeat */
    struct retry retry;
    struct carrier_outcome last_outcome; /* of the try before; texts only of `said` */
    char said[256];
    uint64_t token_number; /* it was sent with */
    bool token_renewed;
    bool delayed;     /* by the carrier's wish to be left alone */
    bool maybe_done;  /* a try of it ended as UNKNOWN */
    bool overflow;    /* too many wait: it is refused at its turn */
    bool unsupported; /* so is this */
};

/* NULL without memory. */
struct carrier_call *carrier_call_create(struct http_carrier *carrier,
                                         enum carrier_operation operation);
void carrier_call_destroy(struct carrier_call *call);

/* Whose limits it is counted by. */
enum carrier_api carrier_call_api(const struct carrier_call *call);

/* Reads an answer into the call's result. */
void carrier_call_read(struct carrier_call *call, const struct carrier_protocol *protocol,
                       unsigned status, struct text body, struct carrier_outcome *outcome);

/* Remembers it for the case that there is no time for another try. */
void carrier_call_keep_outcome(struct carrier_call *call, const struct carrier_outcome *outcome);

/* True: the answer leads to a second request, which is written now (labels of what was found). */
bool carrier_call_goes_on(struct carrier_call *call, const struct carrier_protocol *protocol,
                          const struct carrier_settings *settings,
                          const struct carrier_outcome *outcome);

/* Tells the caller, and releases the call. */
void carrier_call_finish(struct carrier_call *call, const struct carrier_outcome *outcome);

/* The port's table, and what it needs of http_carrier.c. */
extern const struct carrier_table http_carrier_table;

/* Takes the call. Errors: OUT_OF_MEMORY (its request could not be written): it is gone. */
struct error http_carrier_start(struct http_carrier *carrier, struct carrier_call *call,
                                int64_t timeout_us);
const struct carrier_settings *http_carrier_settings(const struct http_carrier *carrier);
const struct carrier_protocol *http_carrier_protocol(const struct http_carrier *carrier);
struct carrier_state http_carrier_state(struct carrier *carrier);

#endif
