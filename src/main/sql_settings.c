/* From settings to a store's options. Nothing can fail but an unknown context. */
#include "main/sql_settings.h"

#include "main/migrations.h"

#include <stdio.h>
#include <string.h>

const char *const sql_contexts[] = {"warehouse", "shipping", "fulfillment", NULL};

/* NULL for a context that has none. */
static const char *setting_of(const struct configuration *configuration, const char *context)
{
    if (strcmp(context, "warehouse") == 0)
        return configuration->warehouse;
    if (strcmp(context, "shipping") == 0)
        return configuration->shipping;
    if (strcmp(context, "fulfillment") == 0)
        return configuration->fulfillment;
    return NULL;
}

/* Its own migrations as a list of one. */
static const struct sql_migration_set *const *set_of(const char *context, size_t *count)
{
    static const struct sql_migration_set *sets[sizeof sql_contexts / sizeof sql_contexts[0]];
    for (size_t i = 0; sql_contexts[i] != NULL; i++) {
        if (strcmp(sql_contexts[i], context) != 0)
            continue;
        sets[i] = migrations_of(context);
        *count = sets[i] == NULL ? 0 : 1;
        return &sets[i];
    }
    *count = 0;
    return NULL;
}

bool sql_settings_options(const struct configuration *configuration, const char *context,
                          char url[sql_url_bytes_max], struct sql_store_options *options)
{
    const char *setting = setting_of(configuration, context);
    *options = sql_store_options_default();
    if (setting == NULL)
        return false;
    if (setting[0] != '\0')
        snprintf(url, sql_url_bytes_max, "%s", setting);
    else
        snprintf(url, sql_url_bytes_max, "sqlite:%s/%s.sqlite", configuration->data, context);
    options->url = url;
    options->name = context;
    options->migrations = set_of(context, &options->migration_count);
    options->migrate =
        strcmp(configuration->migrate, "refuse") == 0 ? SQL_MIGRATE_REFUSE : SQL_MIGRATE_AUTO;
    options->allow_degraded = strcmp(configuration->allow_degraded, "yes") == 0;
    options->thread_count = (uint32_t)configuration->sql_connections;
    options->queue_length_max = (size_t)configuration->sql_queue_length_max;
    options->statement_timeout_us = configuration->sql_statement_ms_max * 1000;
    return true;
}

struct error sql_settings_check(const struct configuration *configuration, const char *context)
{
    const char *setting = setting_of(configuration, context);
    if (setting == NULL || setting[0] == '\0' || sql_url_is_known(setting))
        return error_none();
    bool is_elsewhere = strncmp(setting, "grpc://", strlen("grpc://")) == 0;
    return error_make(ERROR_INVALID_SETTING,
                      "%s: this is no database; use sqlite:FILE or postgresql://USER@HOST/NAME%s",
                      context,
                      is_elsewhere ? ", or name only the services this process shall run: "
                                     "waybill serve inventory shipping ..."
                                   : "");
}

/* user:password@ becomes user:…@; a password among the parameters makes all of them go. */
void sql_settings_print_url(const char *url, char *out, size_t size)
{
    const char *start = strstr(url, "://");
    const char *at = start == NULL ? NULL : strchr(start, '@');
    const char *colon = start == NULL ? NULL : strchr(start + 3, ':');
    int length = (int)(start == NULL ? strlen(url) : strcspn(url, "?"));
    if (at != NULL && colon != NULL && colon < at && at < url + length)
        snprintf(out, size, "%.*s:…%.*s", (int)(colon - url), url, (int)(url + length - at), at);
    else
        snprintf(out, size, "%.*s", length, url);
}
