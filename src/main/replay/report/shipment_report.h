#ifndef WAYBILL_MAIN_REPLAY_REPORT_SHIPMENT_REPORT_H
#define WAYBILL_MAIN_REPLAY_REPORT_SHIPMENT_REPORT_H

#include "main/replay/findings/shipment_totals.h"
#include "platform/base/buffer.h"

#include <jansson.h>
#include <stdbool.h>

/* What was bought of each carrier, for people and for programs. Pure but for memory. */

/* For people: a table. False: the buffer's limit or memory. */
__attribute__((warn_unused_result)) bool shipment_report_write(
    struct buffer *out, const struct shipment_totals *totals);

/* For programs: an object; NULL without memory. */
json_t *shipment_report_pack(const struct shipment_totals *totals);

#endif
