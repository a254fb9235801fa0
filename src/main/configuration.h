#ifndef WAYBILL_MAIN_CONFIGURATION_H
#define WAYBILL_MAIN_CONFIGURATION_H

#include "platform/base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Every setting of `waybill serve`, in one table: its flag, its place in the configuration file,
 * its WAYBILL_… variable, its default and its limits. A flag goes before a variable, a variable
 * before the file, the file before the default. Thread: the main thread, at start.
 */
enum { setting_text_bytes_max = 512 };

/* An account with a carrier; no client_id = there is none. */
struct carrier_configuration {
    char base_url[setting_text_bytes_max];
    char client_id[setting_text_bytes_max];
    char client_secret[setting_text_bytes_max];
    char account_number[setting_text_bytes_max];
    char tracking_base_url[setting_text_bytes_max]; /* DHL alone, as the next */
    char tracking_key[setting_text_bytes_max];
    char webhook_secret[setting_text_bytes_max];
    int64_t calls_at_once_max;
    int64_t calls_per_second_max; /* 0 = no limit, so the next */
    int64_t calls_per_day_max;
};

struct configuration {
    char config[setting_text_bytes_max];
    char listen[setting_text_bytes_max];
    char operations[setting_text_bytes_max];
    char tls_certificate[setting_text_bytes_max]; /* "" = no TLS */
    char tls_key[setting_text_bytes_max];
    char tls_client_ca[setting_text_bytes_max];
    char plaintext[setting_text_bytes_max]; /* "loopback" or "everywhere" */
    char cors_origins[setting_text_bytes_max];
    char data[setting_text_bytes_max];
    char inventory[setting_text_bytes_max]; /* URL; empty = embedded:DATA/inventory */
    char tracking[setting_text_bytes_max];  /* URL; empty = embedded:DATA/tracking */
    char warehouse[setting_text_bytes_max]; /* URL; empty = sqlite:DATA/warehouse.sqlite */
    char shipping[setting_text_bytes_max];
    char fulfillment[setting_text_bytes_max];
    char split_cost[setting_text_bytes_max]; /* "USD 250"; "" = splitting is free */
    char log_level[setting_text_bytes_max];
    char log_format[setting_text_bytes_max];
    int64_t io_threads; /* 0 = by the machine's cores */
    int64_t drain_seconds;
    int64_t takeover_seconds; /* with passed sockets: for the process before to let go */
    int64_t connections_max;
    int64_t connections_per_peer_max;     /* 0 = no limit of its own */
    int64_t peer_abuse_points_per_second; /* 0 = not counted */
    int64_t request_seconds;
    int64_t idle_seconds; /* 0 = never */
    int64_t age_seconds;  /* 0 = never */
    int64_t message_bytes_max;
    int64_t ship_within_days;
    int64_t allocation_work_max;
    char on_hand_source[setting_text_bytes_max]; /* "auto", "own" or "warehouse" */
    int64_t retention_seconds;
    int64_t committed_retention_seconds;
    int64_t ids_max;
    int64_t queue_length_max;
    int64_t segment_bytes;
    int64_t batch_bytes_max;
    int64_t parcel_grams_max;
    int64_t order_watchers_max;
    int64_t tracking_memory_bytes_max;
    int64_t tracking_checkpoint_bytes;
    int64_t tracking_checkpoint_seconds;
    int64_t tracking_free_bytes_min;
    int64_t tracking_log_retention_days;
    int64_t tracking_ping_retention_days;
    int64_t tracking_generation_gap_days;
    int64_t tracking_silence_days; /* 0 = nobody is told */
    int64_t tracking_poll_seconds; /* 0 = carriers are not asked */
    char tracking_poll_quota[setting_text_bytes_max];
    int64_t tracking_webhook_attempts_max;
    int64_t tracking_subscriptions_max;
    char carriers[setting_text_bytes_max]; /* "" = the tariff and those with an account */
    struct carrier_configuration ups;
    struct carrier_configuration fedex;
    struct carrier_configuration dhl;
    char tariff_cards[setting_text_bytes_max];  /* "" = the built-in ones */
    char rate_key_file[setting_text_bytes_max]; /* "" = DATA/shipping_rate_key */
    int64_t rates_ms_max;
    int64_t rate_seconds;
    int64_t purchase_seconds_max;
    int64_t first_lookup_seconds;
    int64_t lookup_seconds_max;
    char migrate[setting_text_bytes_max];        /* "auto" or "refuse" */
    char allow_degraded[setting_text_bytes_max]; /* "no" or "yes" */
    int64_t sql_connections;
    int64_t sql_queue_length_max;
    int64_t sql_statement_ms_max;
    int64_t events_retention_days;
    int64_t outbox_bytes_max;
    char events_adopt[setting_text_bytes_max]; /* "no" or "yes" */
    int64_t event_subscribers_max;
    int64_t event_slow_seconds;
};

/* What is wrong, a line each: the first of them in `lines`, all of them counted. */
struct configuration_problems {
    size_t count;
    struct buffer lines;
};

void configuration_problems_init(struct configuration_problems *problems);
void configuration_problems_deinit(struct configuration_problems *problems);

/* Adds "where: what". */
void configuration_problems_add(struct configuration_problems *problems, const char *where,
                                const char *what);

/* All lines, and how many more there are. */
void configuration_problems_print(const struct configuration_problems *problems, FILE *out);

/*
 * Fills `configuration` from all four sources. `argv` holds the arguments behind the command's
 * name; those that are no settings are left in `operands` (room for argc) and counted. False:
 * `problems` has one line for each thing that is wrong, naming flag, variable or FILE:LINE and what
 * is allowed. A variable of ours by name that is no setting is left alone: others (a cluster's
 * service links) set such.
 */
__attribute__((warn_unused_result)) bool configuration_read(
    struct configuration *configuration, int argc, char **argv, const char **operands,
    size_t *operand_count, struct configuration_problems *problems);

/* The part that reads a file's text, for the one above and for its fuzz target. */
void configuration_read_text(struct configuration *configuration, const char *name,
                             struct text text, struct configuration_problems *problems);

/* The settings as a table for --help. */
void configuration_print_help(FILE *out);

/* The settings as a configuration file with comments: config/waybill.ini. */
void configuration_print_file(FILE *out);

#endif
