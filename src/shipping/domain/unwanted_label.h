#ifndef WAYBILL_SHIPPING_DOMAIN_UNWANTED_LABEL_H
#define WAYBILL_SHIPPING_DOMAIN_UNWANTED_LABEL_H

#include "platform/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * A label that a carrier sold and that nobody wants: its attempt was over when the carrier's answer
 * came, because a person had decided in the meantime. The carrier is asked to void it until it says
 * that it has.
 *
 *   TO_VOID          the carrier is asked, and asked again
 *   VOIDED           it says so, or a person does; final
 *   NEEDS_ATTENTION  it will not (REFUSED), it has no such call (DHL Express), or it has not
 *                    answered for a day: a person sees to it
 *
 *                    IN_VAIN   VOIDED   GIVEN_UP         TRY_AGAIN
 *   TO_VOID          TO_VOID   VOIDED   NEEDS_ATTENTION  TO_VOID
 *   NEEDS_ATTENTION            VOIDED                    TO_VOID
 *
 * The shipment itself goes its own way: it may have another label, or none. Pure; texts are views.
 */
enum unwanted_label_state {
    UNWANTED_LABEL_TO_VOID = 1,
    UNWANTED_LABEL_VOIDED,
    UNWANTED_LABEL_NEEDS_ATTENTION,
};
enum { unwanted_label_state_count = UNWANTED_LABEL_NEEDS_ATTENTION + 1 };

enum unwanted_label_change {
    UNWANTED_LABEL_CHANGE_IN_VAIN, /* asked, and no usable answer */
    UNWANTED_LABEL_CHANGE_VOIDED,  /* by the carrier's word or a person's */
    UNWANTED_LABEL_CHANGE_GIVEN_UP,
    UNWANTED_LABEL_CHANGE_TRY_AGAIN, /* a person's wish */
};
enum { unwanted_label_change_count = UNWANTED_LABEL_CHANGE_TRY_AGAIN + 1 };

/* The table above. False: that change does not fit that state; *next is untouched. */
bool unwanted_label_next_state(enum unwanted_label_state state, enum unwanted_label_change change,
                               enum unwanted_label_state *next);

const char *unwanted_label_state_name(enum unwanted_label_state state); /* "TO_VOID" */

struct unwanted_label {
    uint64_t label_id; /* the store's; carriers give numbers again after months */
    struct text carrier;
    struct text tracking_number;
    struct text shipment_id;
    uint32_t attempt;
    struct text country_code; /* of the sender */
    enum unwanted_label_state state;
    struct text note; /* what the carrier said last, or the person */
    int64_t create_time_us;
    int64_t next_time_us; /* TO_VOID: when the carrier is asked next */
    uint32_t asks;        /* in vain */
};

/*
 * When the carrier is asked next after `asks` times in vain: after two minutes, then with doubled
 * distances up to an hour, until a day after the label was found. 0: no more, a person sees to it.
 */
int64_t unwanted_label_next_time(int64_t create_time_us, uint32_t asks, int64_t now_us);

#endif
