#ifndef WAYBILL_MAIN_MODULES_SHIPPING_MODULE_H
#define WAYBILL_MAIN_MODULES_SHIPPING_MODULE_H

#include "main/modules/module.h"

/* Shipping on SQLite or PostgreSQL. Settings: shipping, [shipping], [sql], [events]. */
extern const struct module_table shipping_module;

#endif
