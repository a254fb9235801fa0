/*
 * The bytes are the value of a header Retry-After, and behind a line end that of Date. Whatever
 * they are, the wait is between nothing and a day; it needs no byte that is not there, and a date
 * that is read is one of a year that can be written.
 */
#include "platform/http_client/retry_after.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fine)
{
    if (!fine)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t now_us = INT64_C(1767268800) * 1000000;
    static const int64_t year_us_max = INT64_C(253402300800) * 1000000; /* of 10000-01-01 */
    const char *bytes = (const char *)data;
    const char *end = size == 0 ? NULL : memchr(bytes, '\n', size);
    struct text value = text_make(bytes, end == NULL ? size : (size_t)(end - bytes));
    struct text date = {0};
    int64_t time_us;
    if (end != NULL)
        date = text_make(end + 1, size - value.size - 1);
    int64_t wait_us = http_retry_after_us(value, date, now_us);
    require(wait_us >= 0 && wait_us <= HTTP_RETRY_AFTER_US_MAX);
    require(wait_us == http_retry_after_us(text_trim(value), text_trim(date), now_us));
    if (http_date_read(value, now_us, &time_us))
        require(time_us <= year_us_max && time_us >= -INT64_C(62135596800) * 1000000);
    return 0;
}
