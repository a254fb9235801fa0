#ifndef WAYBILL_MAIN_MODULES_WAREHOUSE_MODULE_H
#define WAYBILL_MAIN_MODULES_WAREHOUSE_MODULE_H

#include "main/modules/module.h"

/* Warehouse on SQLite or PostgreSQL. Settings: warehouse, [warehouse], [sql], [events]. */
extern const struct module_table warehouse_module;

#endif
