/* Rows by carrier, then currency: whichever shipment of which was found first. */
#include "main/replay/findings/shipment_totals.h"

#include <string.h>

/* < 0: the row is before that of carrier and currency; 0: it is the one. */
static int compare_row(const struct shipment_row *row, const char *carrier, const char *currency)
{
    int order = strcmp(row->carrier, carrier);
    return order == 0 ? strcmp(row->currency, currency) : order;
}

struct shipment_row *shipment_totals_row(struct shipment_totals *totals, const char *carrier,
                                         const char *currency)
{
    size_t at = 0;
    while (at < totals->row_count && compare_row(&totals->rows[at], carrier, currency) < 0)
        at++;
    struct shipment_row *row = &totals->rows[at];
    if (at < totals->row_count && compare_row(row, carrier, currency) == 0)
        return row;
    if (totals->row_count == shipment_rows_max || strlen(carrier) >= sizeof row->carrier ||
        strlen(currency) >= sizeof row->currency)
        return NULL;
    memmove(row + 1, row, (totals->row_count - at) * sizeof *row);
    *row = (struct shipment_row){0};
    totals->row_count++;
    strcpy(row->carrier, carrier);
    strcpy(row->currency, currency);
    return row;
}
