/* Rows as the totals have them; columns are padded to their titles. */
#include "main/replay/report/shipment_report.h"

#include "main/replay/report/number_text.h"

#include <stdio.h>
#include <string.h>

static bool write_row(struct buffer *out, const struct shipment_row *row)
{
    char difference[32] = "-";
    if (row->freight_minor > 0)
        snprintf(difference, sizeof difference, "%+.1f %%",
                 100.0 * (double)(row->compared_minor - row->freight_minor) /
                     (double)row->freight_minor);
    return buffer_append_format(
        out, "  %-8s %9s %8s %12s %s %15s %10s %15s %15s %9s\n", row->carrier,
        number_text_of_count(row->shipments).string, number_text_of_count(row->parcels).string,
        number_text_of_count(row->grams / 1000).string, row->currency,
        number_text_of_money(row->charged_minor).string, number_text_of_count(row->compared).string,
        number_text_of_money(row->compared_minor).string,
        number_text_of_money(row->freight_minor).string, difference);
}

bool shipment_report_write(struct buffer *out, const struct shipment_totals *totals)
{
    bool written = buffer_append_format(out, "  %-61s those whose freight the data set records\n",
                                        "what the carriers charged") &&
                   buffer_append_format(out, "  %-8s %9s %8s %12s %19s %10s %15s %15s %9s\n",
                                        "carrier", "shipments", "parcels", "kilograms", "charged",
                                        "shipments", "charged", "freight paid", "differs");
    for (size_t i = 0; i < totals->row_count && written; i++)
        written = write_row(out, &totals->rows[i]);
    if (written && totals->not_created > 0)
        written = buffer_append_format(
            out, "  %s attempts beside these were refused or given up before a label was bought\n",
            number_text_of_count(totals->not_created).string);
    return written && buffer_append_string(out, "\n");
}

json_t *shipment_report_pack(const struct shipment_totals *totals)
{
    json_t *array = json_array();
    for (size_t i = 0; i < totals->row_count && array != NULL; i++) {
        const struct shipment_row *of = &totals->rows[i];
        json_t *row = json_pack(
            "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "carrier", of->carrier, "currency",
            of->currency, "shipments", (json_int_t)of->shipments, "parcels",
            (json_int_t)of->parcels, "grams", (json_int_t)of->grams, "charged_minor",
            (json_int_t)of->charged_minor, "compared", (json_int_t)of->compared, "compared_minor",
            (json_int_t)of->compared_minor, "freight_minor", (json_int_t)of->freight_minor);
        if (json_array_append_new(array, row) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return json_pack("{s:o, s:I}", "carriers", array, "not_created",
                     (json_int_t)totals->not_created);
}
