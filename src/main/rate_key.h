#ifndef WAYBILL_MAIN_RATE_KEY_H
#define WAYBILL_MAIN_RATE_KEY_H

#include "platform/base/error.h"

/*
 * The key that seals rate_id: 64 hexadecimal digits in a file, DATA/shipping_rate_key if `file` is
 * empty. That one is made, for its owner alone, when it is not there. Errors: INVALID_SETTING (no
 * such file, or no key in it), those of the file.
 */
enum { rate_key_size = 32 };
struct error rate_key_read(const char *file, const char *data, char key[rate_key_size]);

#endif
