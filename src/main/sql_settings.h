#ifndef WAYBILL_MAIN_SQL_SETTINGS_H
#define WAYBILL_MAIN_SQL_SETTINGS_H

#include "main/configuration.h"
#include "platform/sql/sql.h"

#include <stdbool.h>
#include <stddef.h>

/* The settings of a context's SQL store, the same for `waybill serve` and `waybill migrate`. */
enum { sql_url_bytes_max = 2 * setting_text_bytes_max };

/* The contexts that live in SQL, in order; NULL at the end. */
extern const char *const sql_contexts[];

/*
 * Options for the context's store: its URL (its setting, or sqlite:DATA/<context>.sqlite, written
 * into `url`), its migrations, and what [sql] says. The rest is default. `url` must live as long as
 * the options are used. False: `context` is none of sql_contexts.
 */
bool sql_settings_options(const struct configuration *configuration, const char *context,
                          char url[sql_url_bytes_max], struct sql_store_options *options);

/*
 * Whether the context's setting can be a database at all; before anything is opened. Another
 * process's address is for those who ask that context, not for whoever runs it. INVALID_SETTING.
 */
struct error sql_settings_check(const struct configuration *configuration, const char *context);

/* The URL without its password, for people. */
void sql_settings_print_url(const char *url, char *out, size_t size);

#endif
