#ifndef WAYBILL_MAIN_MODULES_FULFILLMENT_MODULE_H
#define WAYBILL_MAIN_MODULES_FULFILLMENT_MODULE_H

#include "main/modules/module.h"

/* Fulfillment: waybill.fulfillment.v1.FulfillmentService on SQLite or PostgreSQL. */
extern const struct module_table fulfillment_module;

#endif
