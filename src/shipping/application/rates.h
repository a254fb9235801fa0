#ifndef WAYBILL_SHIPPING_APPLICATION_RATES_H
#define WAYBILL_SHIPPING_APPLICATION_RATES_H

#include "shipping/application/service_state.h"

/*
 * Asking carriers for their rates, all at once. The round ends with the last answer, and a little
 * after the time given whatever becomes of the carriers: with what has come, and for each other
 * carrier the reason. The asker's, on an arena that nobody else uses until `done`; afterwards
 * nothing of it is touched any more.
 */
struct rate_round;
struct rate_question;

struct rate_answer {
    struct rate_round *round;
    size_t carrier;
    bool is_asked;
    struct rate_question *question; /* the carrier has it; NULL = it does not (any more) */
    enum carrier_verdict verdict;   /* what is not even asked is REFUSED */
    struct text failure;            /* unless ANSWERED */
    const struct carrier_rate *rates;
    size_t rate_count;
};

struct rate_round {
    struct shipping_service *service; /* set by the asker: … */
    struct arena *arena;
    const struct consignment *consignment;
    int64_t timeout_us;
    bool is_wanted[shipping_carriers_max];
    bool any_format; /* else carriers that cannot give this format are not asked */
    enum shipping_label_format label_format;
    void (*done)(struct rate_round *round);

    struct rate_answer answers[shipping_carriers_max];
    size_t pending;
    struct service_timer timer;
    bool failed; /* no memory for an answer */
};

/* Begins; `done` may come before this returns. */
void rate_round_begin(struct rate_round *round);

/* The one that the rule takes, or NULL where there is none. *carrier is whose it is. */
const struct carrier_rate *rate_round_choose(const struct rate_round *round, enum rate_rule rule,
                                             size_t *carrier);

/*
 * Why there is no rate at all: REFUSAL_NO_SERVICE where all carriers say no, else
 * REFUSAL_CARRIER_UNAVAILABLE; *why has each carrier's reason, on the arena.
 */
enum shipping_refusal rate_round_refusal(const struct rate_round *round, struct text *why);

/*
 * Whether the carrier's capabilities fit the consignment; if not, a reason (a literal). `format`
 * NULL = any.
 */
const char *carrier_unfit(const struct carrier *carrier, const struct consignment *consignment,
                          const enum shipping_label_format *format);

/*
 * Answers a GetRates whose carriers all decide their rates, with its results or its error set.
 * False: somebody has to be asked, and nothing was done. Any thread.
 */
bool get_rates_here(struct shipping_call *call);

#endif
