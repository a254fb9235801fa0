#ifndef WAYBILL_SHIPPING_APPLICATION_FIELD_CHECKS_H
#define WAYBILL_SHIPPING_APPLICATION_FIELD_CHECKS_H

#include "shipping/application/shipping_service.h"

/*
 * What is allowed in a field, and the words that say so; and the normal form: defaults are filled
 * in. Each adds its violations to those of the call. Pure but for that; any thread.
 */

/* By the call's kind. `known` is asked for the names of carriers. */
void field_checks_run(struct shipping_service *service, struct shipping_call *call);

/* "YYYY-MM-DD", a day of the calendar from 2000 to 9999. */
bool field_is_date(struct text date);

#endif
