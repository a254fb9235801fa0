#ifndef WAYBILL_MAIN_CARRIER_NAMES_H
#define WAYBILL_MAIN_CARRIER_NAMES_H

#include "platform/base/error.h"
#include "platform/base/text.h"

/*
 * Whether a setting names one of the carriers that a shop can have: ups, fedex, dhl, tariff, in
 * small letters. A name that is mistyped would set nothing and tell nobody. Pure.
 * Error: INVALID_SETTING, with the setting, the name and those that there are.
 */
struct error carrier_name_check(const char *setting, struct text name);

#endif
