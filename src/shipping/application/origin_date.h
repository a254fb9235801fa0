#ifndef WAYBILL_SHIPPING_APPLICATION_ORIGIN_DATE_H
#define WAYBILL_SHIPPING_APPLICATION_ORIGIN_DATE_H

#include "shipping/domain/consignment.h"

#include <stdint.h>

/*
 * Today at an address, as "YYYY-MM-DD": the local day by the sun (its point's longitude, 15 degrees
 * an hour), else by the standard time of its country's capital, else by UTC. A day near midnight
 * may so be the neighbour's; who minds gives ship_date. Pure.
 */
void origin_date(const struct shipping_address *address, int64_t now_us, char date[11]);

#endif
