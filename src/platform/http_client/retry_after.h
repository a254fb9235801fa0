#ifndef WAYBILL_PLATFORM_HTTP_CLIENT_RETRY_AFTER_H
#define WAYBILL_PLATFORM_HTTP_CLIENT_RETRY_AFTER_H

#include "platform/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * When a server wants to be asked again, as its answer says it (RFC 9110, sections 10.2.3 and
 * 5.6.7). Pure; any thread.
 */

/* Nobody is believed for longer than a day. */
#define HTTP_RETRY_AFTER_US_MAX (INT64_C(86400) * 1000000)

/*
 * The wait that the header Retry-After asks for: seconds, or an instant in one of the three forms
 * of an HTTP date. An instant is counted from the answer's own header Date where that is one, for
 * the server's clock and ours differ, else from `now_us` (UTC). At most HTTP_RETRY_AFTER_US_MAX; 0
 * = absent, past, or none of these.
 */
int64_t http_retry_after_us(struct text retry_after, struct text date, int64_t now_us);

/*
 * An HTTP date: "Sun, 06 Nov 1994 08:49:37 GMT", and the two old forms that a recipient has to
 * read, "Sunday, 06-Nov-94 08:49:37 GMT" and "Sun Nov  6 08:49:37 1994". Two digits of a year are
 * those of the year that is at most 50 years after `now_us`. The name of the day is not looked at.
 */
bool http_date_read(struct text text, int64_t now_us, int64_t *time_us);

#endif
