#ifndef WAYBILL_MAIN_REPLAY_REPORT_NUMBER_TEXT_H
#define WAYBILL_MAIN_REPLAY_REPORT_NUMBER_TEXT_H

#include <stdint.h>

/*
 * Numbers as people read them. Values; nothing to release. Thread: any.
 */
struct number_text {
    char string[40];
};

/* 189265090 → "189,265,090". */
struct number_text number_text_of_count(int64_t count);

/* Cents: 123456 → "1,234.56". */
struct number_text number_text_of_money(int64_t amount_minor);

/* A duration: "850 µs", "5.1 ms", "2.3 s". */
struct number_text number_text_of_duration(int64_t duration_us);

/* An instant: "2026-11-24 10:00 UTC". */
struct number_text number_text_of_time(int64_t time_us);

#endif
