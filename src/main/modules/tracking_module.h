#ifndef WAYBILL_MAIN_MODULES_TRACKING_MODULE_H
#define WAYBILL_MAIN_MODULES_TRACKING_MODULE_H

#include "main/modules/module.h"

/* Tracking on its embedded store. Settings: tracking, tracking_memory_bytes_max and those beside
 * it. */
extern const struct module_table tracking_module;

#endif
