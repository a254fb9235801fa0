#ifndef WAYBILL_MAIN_MIGRATIONS_H
#define WAYBILL_MAIN_MIGRATIONS_H

#include "platform/sql/sql.h"

/*
 * The migrations in migrations/{sqlite,postgresql}/<context>/, compiled into the program
 * (tools/embed_migrations). NULL: that context has none.
 */
const struct sql_migration_set *migrations_of(const char *context);

#endif
