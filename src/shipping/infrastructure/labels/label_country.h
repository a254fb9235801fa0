#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_LABELS_LABEL_COUNTRY_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_LABELS_LABEL_COUNTRY_H

#include "platform/base/text.h"

/*
 * The three digits of a country (ISO 3166-1 numeric) for its two letters; the empty text if there
 * is no such country. Any thread.
 */
struct text label_country_number(struct text country_code);

#endif
