#ifndef WAYBILL_TESTS_SUPPORT_SHIPPING_SHIPPING_DESK_H
#define WAYBILL_TESTS_SUPPORT_SHIPPING_SHIPPING_DESK_H

#include "shipping/application/shipping_service.h"
#include "tests/support/fake_clock.h"
#include "tests/support/shipping/fake_carrier.h"
#include "tests/support/shipping/shipping_model.h"
#include "tests/support/test_executor.h"

/*
 * Shipping's use cases in a test: two carriers in its hand ("alpha", "beta"), the books in memory,
 * a clock that it moves. Books and carriers outlive the service, which may die at any step and be
 * started again. Without memory it aborts. Thread: one.
 */
struct shipping_desk {
    struct fake_clock clock;
    struct test_executor executor;
    struct shipping_model *model;
    struct fake_carrier alpha;
    struct fake_carrier beta;
    struct carrier *carriers[2];
    struct shipping_service_options options; /* of the next start */
    struct shipping_service *service;        /* NULL = it is dead */
    int64_t alarm_us;                        /* 0 = none */
    bool closed;

    /* The books as the service sees them: after so many commands they do not hear it any more. */
    struct shipping_repository gate;
    size_t fuel;       /* SIZE_MAX = no end */
    bool last_is_lost; /* the command that uses the last of it is done, but not answered well */
    bool is_away;      /* nothing is done for now */
    size_t commands;   /* done so far */
};

void shipping_desk_init(struct shipping_desk *desk);
void shipping_desk_deinit(struct shipping_desk *desk);

/* Fixtures: *state is the one desk, which has been started. */
int shipping_desk_set_up(void **state);
int shipping_desk_tear_down(void **state);

/* The service begins, and does what it does at once. */
void shipping_desk_start(struct shipping_desk *desk);

/* As kill -9: neither books nor carriers hear of it again; who waits gets an error. */
void shipping_desk_kill(struct shipping_desk *desk);

/* An orderly end. */
void shipping_desk_stop(struct shipping_desk *desk);

/* Runs what can run without time passing. */
void shipping_desk_run(struct shipping_desk *desk);

/* Time passes, alarms ring on the way. */
void shipping_desk_pass(struct shipping_desk *desk, int64_t duration_us);

/* The same in leaps of twenty minutes: an alarm rings once a leap at most. For days. */
void shipping_desk_leap(struct shipping_desk *desk, int64_t duration_us);

/* --- calls: on the heap, with an arena of their own --- */

struct desk_call {
    struct arena arena;
    bool is_submitted;
    bool is_done;
    struct error error; /* of the service */
    struct shipping_call *call;
    union {
        struct shipping_call base;
        struct get_rates_call rates;
        struct create_shipment_call create;
        struct get_shipment_call get;
        struct list_shipments_call list;
        struct cancel_shipment_call cancel;
        struct resolve_shipment_call resolve;
        struct get_label_call label;
        struct get_tracking_info_call tracking;
        struct list_carriers_call carriers;
        struct list_unread_pushes_call unread;
        struct replay_unread_pushes_call replay;
        struct list_unwanted_labels_call unwanted;
        struct resolve_unwanted_label_call unwant;
    } as;
};

struct desk_call *desk_call_create(enum shipping_call_kind kind);
void desk_call_destroy(struct desk_call *call);

/* False: violations. It may not be done yet. */
bool desk_call_submit(struct shipping_desk *desk, struct desk_call *call);

/* A good GetRates of one parcel from New York to Chicago, of both carriers. */
struct desk_call *desk_get_rates(void);

/* A good CreateShipment of one parcel from New York to Chicago with alpha's S1. */
struct desk_call *desk_create_shipment(const char *shipment_id);

/* Submits and runs; the record as answered must be read before the destroy. */
struct desk_call *desk_ask(struct shipping_desk *desk, struct desk_call *call);
struct desk_call *desk_get(struct shipping_desk *desk, const char *shipment_id);

/* The state the books have now; 0 = no such shipment. */
enum shipment_state desk_state(struct shipping_desk *desk, const char *shipment_id);

/* The good consignment of above. */
void desk_fill_consignment(struct consignment *consignment);

#endif
