#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_ACCESS_TOKEN_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_ACCESS_TOKEN_H

#include "shipping/infrastructure/carriers/carrier_protocol.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The token that an account's calls carry (OAuth 2.0, RFC 6749 section 4.4), and when it is
 * fetched: when there is none, when a tenth of its life is left (five minutes at most), and after a
 * 401. One that could not be had is tried for again after 0.2, 0.4 and 0.8 s, then given up.
 * Times are monotonic and handed in. Zeroed = there is none. Thread: one.
 */
enum { access_token_size = 8192 };

struct access_token {
    char value[access_token_size];
    int64_t end_us; /* 0 = there is none */
    int64_t renew_us;
    uint64_t number;       /* of those that were taken */
    unsigned failures;     /* in a row */
    int64_t not_before_us; /* the next try */
};

/* False: it is none, or too long. */
bool access_token_take(struct access_token *token, const struct carrier_token *got, int64_t now_us);

bool access_token_is_usable(const struct access_token *token, int64_t now_us);

/* There is none, or it is time for the next; the next try may not be due yet. */
bool access_token_is_due(const struct access_token *token, int64_t now_us);

/* A 401 to a call with the token of that number: it does not hold any more. */
void access_token_withdraw(struct access_token *token, uint64_t number);

/* There is none and it could not be had. True: it is tried for again; false: it is given up. */
bool access_token_try_again(struct access_token *token, int64_t now_us);
void access_token_give_up(struct access_token *token);

/* It could not be renewed, but the old one still holds: again in ten seconds. */
void access_token_postpone(struct access_token *token, int64_t now_us);

#endif
