#ifndef WAYBILL_TESTS_SUPPORT_SHIPPING_FAKE_CARRIER_H
#define WAYBILL_TESTS_SUPPORT_SHIPPING_FAKE_CARRIER_H

#include "platform/base/executor.h"
#include "shipping/domain/carrier.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A carrier that a test holds in its hand: it keeps a ledger of what it sold, answers when it is
 * let, and says what it is told to. Without further words it answers everything at once and well.
 * Without memory it aborts. Thread: one, its executor's.
 */
enum { fake_sales_max = 4096, fake_number_size = 24 };

struct fake_sale {
    char reference[96];
    char number[fake_number_size];
    size_t parcel_count;
    bool voided;
};

/* How the next calls of a kind end. */
struct fake_orders {
    enum carrier_verdict verdict;
    bool done_before; /* of create and cancel: it was done, whatever the verdict says */
    bool held;        /* answered by fake_carrier_release alone */
    int64_t retry_after_us;
    size_t count; /* for so many calls; 0 = no order, SIZE_MAX = for ever */
};

struct fake_carrier {
    struct carrier base; /* first; its capabilities may be changed before use */
    struct executor *executor;
    struct fake_orders create, cancel, find, rate, track;
    bool dead;        /* all calls end as UNKNOWN, nothing is done: the process is no more */
    bool with_labels; /* a PDF a parcel */
    bool finds_twice; /* a look-up brings each sale twice, under two numbers */
    int64_t price_minor;
    size_t rate_services; /* "S1" … with rising prices and falling days */
    size_t fuel;          /* so many further calls are done, then it is dead */

    struct fake_sale sales[fake_sales_max];
    size_t sale_count;
    size_t creates, cancels, finds, rates_asked;
    struct fake_call *held;
    struct fake_call *held_last;
    size_t pending; /* calls that have not been answered */
};

/* All capabilities, PDF labels, price 1000 USD minor units, one service. */
void fake_carrier_init(struct fake_carrier *carrier, const char *name, struct executor *executor);

/* Answers what is held, in order; tells how many. */
size_t fake_carrier_release(struct fake_carrier *carrier);

/* Sales under that reference that were not voided. */
size_t fake_carrier_sold(const struct fake_carrier *carrier, const char *reference);

#endif
