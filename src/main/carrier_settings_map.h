#ifndef WAYBILL_MAIN_CARRIER_SETTINGS_MAP_H
#define WAYBILL_MAIN_CARRIER_SETTINGS_MAP_H

#include "main/configuration.h"

/*
 * The settings of one carrier's account, as rows of configuration.c's table: the same for all, and
 * said once. `client` and `secret` are the carrier's own words for them.
 */
#define CARRIER_SETTINGS(carrier, title, url, client, secret)                                      \
    {"shipping",                                                                                   \
     #carrier "_base_url",                                                                         \
     SETTING_TEXT,                                                                                 \
     offsetof(struct configuration, carrier.base_url),                                             \
     url,                                                                                          \
     0,                                                                                            \
     0,                                                                                            \
     "URL",                                                                                        \
     "where " title " is asked",                                                                   \
     "its production; `waybill simulate carriers` stands at http://HOST:PORT/" #carrier},          \
        {"shipping",                                                                               \
         #carrier "_client_id",                                                                    \
         SETTING_TEXT,                                                                             \
         offsetof(struct configuration, carrier.client_id),                                        \
         "",                                                                                       \
         0,                                                                                        \
         0,                                                                                        \
         "TEXT",                                                                                   \
         "the " client " of your account with " title "; empty = it is not asked",                 \
         "an account is your own"},                                                                \
        {"shipping",                                                                               \
         #carrier "_client_secret",                                                                \
         SETTING_TEXT,                                                                             \
         offsetof(struct configuration, carrier.client_secret),                                    \
         "",                                                                                       \
         0,                                                                                        \
         0,                                                                                        \
         "TEXT",                                                                                   \
         "its " secret,                                                                            \
         "better given by the variable than by a flag, which others can see"},                     \
        {"shipping",                                                                               \
         #carrier "_account_number",                                                               \
         SETTING_TEXT,                                                                             \
         offsetof(struct configuration, carrier.account_number),                                   \
         "",                                                                                       \
         0,                                                                                        \
         0,                                                                                        \
         "TEXT",                                                                                   \
         "who pays",                                                                               \
         "goes with " #carrier "_client_id"},                                                      \
        {"shipping",                                                                               \
         #carrier "_webhook_secret",                                                               \
         SETTING_TEXT,                                                                             \
         offsetof(struct configuration, carrier.webhook_secret),                                   \
         "",                                                                                       \
         0,                                                                                        \
         0,                                                                                        \
         "TEXT",                                                                                   \
         "what its pushes to /webhooks/" #carrier                                                  \
         " prove themselves by; empty = none is believed",                                         \
         "agreed with the carrier when the pushes are subscribed to"},                             \
        {"shipping",                                                                               \
         #carrier "_calls_at_once_max",                                                            \
         SETTING_NUMBER,                                                                           \
         offsetof(struct configuration, carrier.calls_at_once_max),                                \
         "16",                                                                                     \
         1,                                                                                        \
         128,                                                                                      \
         "N",                                                                                      \
         "calls to it at once",                                                                    \
         "each takes about half a second there"},                                                  \
        {"shipping",                                                                               \
         #carrier "_calls_per_second_max",                                                         \
         SETTING_NUMBER,                                                                           \
         offsetof(struct configuration, carrier.calls_per_second_max),                             \
         "20",                                                                                     \
         0,                                                                                        \
         100000,                                                                                   \
         "N",                                                                                      \
         "calls to it a second; 0 = no limit of ours",                                             \
         "carriers throttle accounts that ask faster"},                                            \
    {                                                                                              \
        "shipping", #carrier "_calls_per_day_max", SETTING_NUMBER,                                 \
            offsetof(struct configuration, carrier.calls_per_day_max), "0", 0, 100000000, "N",     \
            "calls to it a day (UTC), by this process; 0 = no limit of ours",                      \
            "set it to the quota of your contract"                                                 \
    }

#endif
