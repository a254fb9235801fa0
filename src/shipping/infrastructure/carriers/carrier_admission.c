/* A bucket, a count, and one instant for each API and one for the account. Nothing can fail. */
#include "shipping/infrastructure/carriers/carrier_admission.h"

#include "platform/base/check.h"

enum { guess_doublings_max = 10 };
static const int64_t second_us = 1000000;
static const int64_t day_us = INT64_C(86400) * 1000000;
static const int64_t guess_us_max = INT64_C(900) * 1000000;
static const int64_t account_us_max = INT64_C(60) * 1000000;
static const int64_t account_guess_us_max = INT64_C(10) * 1000000;

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void carrier_admission_init(struct carrier_admission *admission,
                            const struct carrier_settings *settings, int64_t now_us)
{
    *admission = (struct carrier_admission){
        .calls_per_second_max = settings->calls_per_second_max,
        .calls_per_day_max = settings->calls_per_day_max,
        .bucket = (int64_t)settings->calls_per_second_max * second_us,
        .bucket_time_us = now_us,
        .account_until_us = INT64_MIN,
    };
    for (size_t i = 0; i < carrier_api_count; i++)
        admission->pauses[i].until_us = INT64_MIN;
}

int64_t carrier_admission_pause_us(const struct carrier_admission *admission, enum carrier_api api,
                                   int64_t now_us)
{
    int64_t until_us = admission->pauses[api].until_us;
    if (api != CARRIER_API_UNIFIED_TRACKING)
        until_us = greater(until_us, admission->account_until_us);
    return until_us <= now_us ? 0 : until_us - now_us;
}

int64_t carrier_admission_quota_us(struct carrier_admission *admission, int64_t time_us)
{
    int64_t day = time_us / day_us;
    if (day != admission->day) {
        admission->day = day;
        admission->calls_of_day = 0;
    }
    if (admission->calls_per_day_max == 0 || admission->calls_of_day < admission->calls_per_day_max)
        return 0;
    return (day + 1) * day_us - time_us;
}

/* What was saved up before the account's pause is not spent after it. */
static void begin_anew_after_pause(struct carrier_admission *admission, int64_t now_us)
{
    if (admission->account_until_us == INT64_MIN || now_us < admission->account_until_us)
        return;
    admission->bucket = 0;
    admission->bucket_time_us = greater(admission->bucket_time_us, admission->account_until_us);
    admission->account_until_us = INT64_MIN;
}

int64_t carrier_admission_turn_us(struct carrier_admission *admission, int64_t now_us)
{
    int64_t rate = admission->calls_per_second_max;
    if (rate == 0)
        return 0;
    begin_anew_after_pause(admission, now_us);
    int64_t passed_us = lesser(now_us - admission->bucket_time_us, second_us);
    admission->bucket_time_us = now_us;
    admission->bucket = lesser(admission->bucket + passed_us * rate, rate * second_us);
    return admission->bucket >= second_us ? 0 : (second_us - admission->bucket + rate - 1) / rate;
}

void carrier_admission_take(struct carrier_admission *admission)
{
    admission->calls_of_day++;
    if (admission->calls_per_second_max > 0)
        admission->bucket -= second_us;
}

static int64_t guess_us(struct carrier_pause *pause)
{
    int64_t length_us = lesser(second_us << pause->guesses, guess_us_max);
    if (pause->guesses < guess_doublings_max)
        pause->guesses++;
    return length_us;
}

int64_t carrier_admission_pause(struct carrier_admission *admission, enum carrier_api api,
                                int64_t sent_us, int64_t now_us, int64_t after_us)
{
    struct carrier_pause *pause = &admission->pauses[api];
    bool is_named = after_us > 0;
    bool was_under_way = sent_us < pause->until_us;
    int64_t length_us = after_us;
    CHECK(after_us >= 0);
    if (!is_named && was_under_way && pause->until_us > now_us)
        return pause->until_us - now_us; /* one more of those that left before */
    if (!is_named)
        length_us = guess_us(pause);
    pause->until_us = greater(pause->until_us, now_us + length_us);
    if (api != CARRIER_API_UNIFIED_TRACKING && api != CARRIER_API_TOKENS)
        admission->account_until_us =
            greater(admission->account_until_us,
                    now_us + lesser(length_us, is_named ? account_us_max : account_guess_us_max));
    return pause->until_us - now_us;
}

void carrier_admission_resume(struct carrier_admission *admission, enum carrier_api api,
                              int64_t sent_us)
{
    struct carrier_pause *pause = &admission->pauses[api];
    if (sent_us >= pause->until_us)
        pause->guesses = 0;
}
