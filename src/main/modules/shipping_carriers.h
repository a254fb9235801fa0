#ifndef WAYBILL_MAIN_MODULES_SHIPPING_CARRIERS_H
#define WAYBILL_MAIN_MODULES_SHIPPING_CARRIERS_H

#include "main/configuration.h"
#include "platform/base/executor.h"
#include "platform/resilience/dependency.h"
#include "shipping/domain/carrier.h"
#include "shipping/infrastructure/carriers/http_carrier.h"

/*
 * The carriers of a process, and the one thread that they and shipping's use cases live on: a loop,
 * its HTTP client, the adapters that the settings ask for. A second thread draws labels. In the
 * module's life:
 *
 *   open   shipping_carriers_open, then make the service on what it gives, then _run
 *   close  _stop: the service ends with the carriers' last answers; then _close
 *
 * Thread: the main thread, but for what runs on the carriers' own.
 */
struct shipping_carriers;

/* What the carriers tell, on their thread. */
struct shipping_carriers_listener {
    void (*alarm)(void *context);  /* as set_alarm asked */
    carrier_audit_function *audit; /* a call to a carrier */
    void (*stop)(void *context);   /* from _stop: end what goes on, then shipping_carriers_ended */
    void *context;
};

/*
 * Whether the settings can be meant: `carriers` names what is there, and what is there is whole.
 * Error: INVALID_SETTING.
 */
struct error shipping_carriers_check(const struct configuration *configuration);

/* Errors: INVALID_SETTING, OUT_OF_MEMORY, INTERNAL; those of the tariff's cards. */
struct error shipping_carriers_open(struct shipping_carriers **carriers,
                                    const struct configuration *configuration,
                                    struct dependency_list *dependencies,
                                    const struct shipping_carriers_listener *listener);

struct carrier *const *shipping_carriers_all(struct shipping_carriers *carriers, size_t *count);
struct executor *shipping_carriers_executor(struct shipping_carriers *carriers);
struct executor *shipping_carriers_drawing(struct shipping_carriers *carriers);

/* The listener's `alarm` at that instant; the one before is forgotten. The carriers' thread, or
 * before _run. */
void shipping_carriers_set_alarm(struct shipping_carriers *carriers, int64_t monotonic_us);

/* Starts the threads. Errors: OUT_OF_MEMORY. */
struct error shipping_carriers_run(struct shipping_carriers *carriers);

/*
 * Nothing is sent any more, what was sent ends now; waits until the listener's `stop` has led to
 * shipping_carriers_ended, then ends the threads.
 */
void shipping_carriers_stop(struct shipping_carriers *carriers);

/* From the carriers' thread, last of all: nobody uses a carrier any more. */
void shipping_carriers_ended(struct shipping_carriers *carriers);

/* NULL is allowed. */
void shipping_carriers_close(struct shipping_carriers *carriers);

#endif
