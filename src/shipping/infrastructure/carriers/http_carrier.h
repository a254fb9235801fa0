#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_HTTP_CARRIER_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_HTTP_CARRIER_H

#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/random.h"
#include "platform/http_client/http_client.h"
#include "platform/resilience/dependency.h"
#include "shipping/domain/carrier.h"
#include "shipping/infrastructure/carriers/carrier_protocol.h"

#include <uv.h>

/*
 * A carrier behind HTTP: the port of shipping/domain/carrier.h for one of the protocols, one
 * account, one loop. It waits for its turn (calls at once, and what carrier_admission.h counts:
 * calls a second, calls a day, the pauses that the carrier asks for), fetches the token once for
 * all callers, renews it when a tenth of its life is left and once after a 401, asks the breaker,
 * sends, and repeats what surely was not done or changes nothing: with a growing random delay,
 * within the caller's time, within a budget. A purchase is never repeated once a byte of it may
 * have left. Thread: the loop's, except what carrier.h says of read_webhook and state.
 */
struct http_carrier;

/* A request and its answer, for the audit trail; secrets removed. Lives until the callback returns.
 */
struct carrier_audit {
    const char *carrier;
    const char *operation;   /* "create_shipment", "token", … */
    struct text shipment_id; /* empty where the call has none */
    const char *method;
    struct text url;
    struct text request; /* without credentials: a token's request and answer are not shown */
    unsigned status;     /* 0 = no answer */
    struct text answer;
    const char *failure; /* NULL, or why there is no answer */
    int64_t sent_time_us;
    int64_t duration_us;
};
typedef void carrier_audit_function(void *context, const struct carrier_audit *audit);

struct http_carrier_environment {
    uv_loop_t *loop;
    struct http_client *client; /* its loop is the same; closed before the carrier */
    struct clock *clock;
    struct random *random;
    carrier_audit_function *audit; /* NULL = nobody listens */
    void *audit_context;
};

/* The texts of `settings` must outlive it. Errors: OUT_OF_MEMORY, INVALID_SETTING. */
struct error http_carrier_create(struct http_carrier **carrier,
                                 const struct carrier_protocol *protocol,
                                 const struct carrier_settings *settings,
                                 const struct http_carrier_environment *environment);

struct carrier *http_carrier_port(struct http_carrier *carrier);

/* For dependency_list_add. */
struct dependency *http_carrier_dependency(struct http_carrier *carrier);

/* Calls that have not ended. */
size_t http_carrier_pending(const struct http_carrier *carrier);

/*
 * Before http_client_close: nothing is sent any more. What waits and what is asked from now on ends
 * as UNAVAILABLE in a later turn of the loop.
 */
void http_carrier_stop(struct http_carrier *carrier);

/*
 * After http_client_close: ends what still waits (UNAVAILABLE), then releases the carrier in later
 * turns of the loop.
 */
void http_carrier_close(struct http_carrier *carrier);

#endif
