/*
 * A purchase is its number, the parcels' numbers (each findable), the charge and the labels. Labels
 * are rows of their own: a shipment is read often, its labels once or twice.
 */
#include "shipping/infrastructure/sql/purchases.h"

#include "shipping/infrastructure/sql/consignment_codec.h"

void purchase_begin_again(struct shipment_row *row, struct text failure)
{
    row->shipment.state = SHIPMENT_INTENT;
    row->shipment.attempt++;
    row->shipment.sent_time_us = 0;
    row->shipment.lookup_time_us = 0;
    row->shipment.lookups = 0;
    row->shipment.failure = failure;
}

void purchase_lose(struct shipment_row *row, struct text failure)
{
    row->shipment.state = SHIPMENT_UNKNOWN;
    row->shipment.failure = failure;
    row->shipment.lookups = 0;
    row->shipment.lookup_time_us = shipment_next_lookup(row->shipment.sent_time_us, 0, row->now_us);
}

static void insert_number(struct step *step, const struct shipment *shipment, struct text number)
{
    static const struct sql_statement insert = {
        .text = "INSERT INTO shipping_numbers (carrier, tracking_number, shipment_id)"
                " VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"};
    if (number.size > 0)
        sql_enqueue(
            step->session, &insert,
            BOUND(sql_text(shipment->carrier), sql_text(number), sql_text(shipment->shipment_id)),
            sql_any_number);
}

static void insert_labels(struct step *step, const struct shipment *shipment, int64_t parcel,
                          const struct carrier_label *labels, size_t count, int64_t *number)
{
    static const struct sql_statement insert = {
        .text = "INSERT INTO shipping_labels (shipment_id, label, parcel, format, content)"
                " VALUES ($1, $2, $3, $4, $5)"};
    for (size_t i = 0; i < count; i++)
        sql_enqueue(step->session, &insert,
                    BOUND(sql_text(shipment->shipment_id), sql_integer((*number)++),
                          sql_integer(parcel), sql_integer(labels[i].format),
                          sql_blob(labels[i].content)),
                    sql_any_number);
}

/* The parcels' numbers and the labels; numbers that are known already stay. */
static bool take_parcels(struct step *step, struct shipment_row *row,
                         const struct carrier_shipment *bought)
{
    struct shipment *shipment = &row->shipment;
    size_t count = shipment->consignment.parcel_count;
    struct text numbers[shipping_parcels_max];
    struct shipment_parcel *parcels = shipping_step_allocate(step, count + 1, sizeof *parcels);
    int64_t label = 0;
    if (parcels == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        parcels[i] = shipment->parcels[i];
        if (bought != NULL && i < bought->parcel_count &&
            bought->parcels[i].tracking_number.size > 0)
            parcels[i].tracking_number = bought->parcels[i].tracking_number;
        if (bought == NULL && count == 1) /* a person's word for all there is */
            parcels[i].tracking_number = shipment->tracking_number;
        if (!shipping_step_copy(step, &parcels[i].tracking_number))
            return false;
        numbers[i] = parcels[i].tracking_number;
        insert_number(step, shipment, numbers[i]);
        if (bought != NULL && i < bought->parcel_count)
            insert_labels(step, shipment, (int64_t)i, bought->parcels[i].labels,
                          bought->parcels[i].label_count, &label);
    }
    if (bought != NULL)
        insert_labels(step, shipment, -1, bought->labels, bought->label_count, &label);
    shipment->parcels = parcels;
    row->parcel_numbers = numbers_encode(step->arena, numbers, count);
    if (row->parcel_numbers.data == NULL)
        (void)shipping_step_fail_memory(step);
    return row->parcel_numbers.data != NULL && !sql_session_has_failed(step->session);
}

static void take_charge(struct shipment *shipment, const struct carrier_shipment *bought)
{
    if (bought->charged.currency_code[0] != '\0')
        shipment->charged = bought->charged;
    if (bought->estimated_delivery_time_us != 0)
        shipment->estimated_delivery_time_us = bought->estimated_delivery_time_us;
}

bool purchase_take(struct step *step, struct shipment_row *row, struct text tracking_number,
                   const struct carrier_shipment *bought)
{
    struct shipment *shipment = &row->shipment;
    shipment->state = SHIPMENT_CREATED;
    shipment->tracking_number = tracking_number;
    shipment->failure = (struct text){0};
    shipment->lookup_time_us = 0;
    shipment->lookups = 0;
    if (bought != NULL)
        take_charge(shipment, bought);
    if (!shipping_step_copy(step, &shipment->tracking_number))
        return false;
    insert_number(step, shipment, shipment->tracking_number);
    return take_parcels(step, row, bought);
}

static bool has_labels(const struct carrier_shipment *bought)
{
    size_t count = bought->label_count;
    for (size_t i = 0; i < bought->parcel_count; i++)
        count += bought->parcels[i].label_count;
    return count > 0;
}

bool purchase_complete(struct step *step, struct shipment_row *row,
                       const struct carrier_shipment *bought, bool *is_new)
{
    static const struct sql_statement count = {
        .text = "SELECT count(*) FROM shipping_labels WHERE shipment_id = $1"};
    struct sql_rows rows;
    *is_new = false;
    if (row->shipment.state != SHIPMENT_CREATED || !has_labels(bought))
        return true;
    if (!sql_query(step->session, &count, BOUND(sql_text(row->shipment.shipment_id)), &rows))
        return false;
    *is_new = sql_rows_integer(&rows, 0, 0) == 0;
    if (!*is_new)
        return true;
    take_charge(&row->shipment, bought);
    return take_parcels(step, row, bought);
}

bool purchase_cancel(struct step *step, struct shipment_row *row, struct text reason,
                     const char *what)
{
    struct shipment *shipment = &row->shipment;
    shipment->state = SHIPMENT_CANCELLED;
    shipment->cancel_reason = reason;
    shipment->cancel_wanted = false;
    shipment->lookup_time_us = 0;
    return shipment_row_change(step, row, shipment->attempt, what, reason) &&
           shipment_row_emit(step, row, EVENT_SHIPMENT_CANCELLED, reason);
}
