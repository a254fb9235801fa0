#ifndef WAYBILL_MAIN_MODULES_INVENTORY_MODULE_H
#define WAYBILL_MAIN_MODULES_INVENTORY_MODULE_H

#include "main/modules/module.h"

/* Inventory on its embedded store. Settings: inventory, retention_seconds and those beside it. */
extern const struct module_table inventory_module;

#endif
