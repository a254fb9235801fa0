#ifndef WAYBILL_MAIN_MODULES_EVENTS_MODULE_H
#define WAYBILL_MAIN_MODULES_EVENTS_MODULE_H

#include "main/modules/module.h"

/*
 * Events: EventService over the feeds of the modules opened before it. Settings:
 * event_subscribers_max, event_slow_seconds.
 */
extern const struct module_table events_module;

#endif
