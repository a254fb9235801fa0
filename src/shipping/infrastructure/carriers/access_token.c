/* A value with its times. Nothing can fail but the taking. */
#include "shipping/infrastructure/carriers/access_token.h"

#include <string.h>

enum { tries_max = 3 };
static const int64_t second_us = 1000000;
static const int64_t early_us_max = INT64_C(300) * 1000000;
static const int64_t first_delay_us = 200000;

bool access_token_take(struct access_token *token, const struct carrier_token *got, int64_t now_us)
{
    int64_t life_us = got->lifetime_seconds * second_us;
    int64_t early_us = life_us / 10 < early_us_max ? life_us / 10 : early_us_max;
    if (got->value.size == 0 || got->value.size >= sizeof token->value)
        return false;
    memcpy(token->value, got->value.data, got->value.size);
    token->value[got->value.size] = '\0';
    token->end_us = now_us + life_us;
    token->renew_us = token->end_us - early_us;
    token->number++;
    token->failures = 0;
    return true;
}

bool access_token_is_usable(const struct access_token *token, int64_t now_us)
{
    return now_us < token->end_us;
}

bool access_token_is_due(const struct access_token *token, int64_t now_us)
{
    return !access_token_is_usable(token, now_us) || now_us >= token->renew_us;
}

void access_token_withdraw(struct access_token *token, uint64_t number)
{
    if (number == token->number)
        token->end_us = 0;
}

bool access_token_try_again(struct access_token *token, int64_t now_us)
{
    if (token->failures >= tries_max)
        return false;
    token->not_before_us = now_us + (first_delay_us << token->failures);
    token->failures++;
    return true;
}

void access_token_give_up(struct access_token *token)
{
    token->failures = 0;
}

void access_token_postpone(struct access_token *token, int64_t now_us)
{
    token->renew_us = now_us + 10 * second_us;
}
