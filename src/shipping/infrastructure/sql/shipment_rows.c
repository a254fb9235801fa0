/*
 * A row is one SELECT and one UPDATE. The update is guarded by the revision that was read: the row
 * is locked, so the guard cannot miss, and if it did the whole step would fail.
 */
#include "shipping/infrastructure/sql/shipment_rows.h"

#include "shipping/infrastructure/sql/consignment_codec.h"

#include <string.h>

static bool damaged(struct step *step, const char *what)
{
    *step->error = error_make(ERROR_DAMAGED, "shipping: a shipment's %s cannot be read", what);
    return false;
}

static struct shipping_money money_of(const struct sql_rows *rows, size_t index, size_t column)
{
    struct text currency = sql_rows_text(rows, index, column);
    struct shipping_money money = {.amount_minor = sql_rows_integer(rows, index, column + 1)};
    if (currency.size < sizeof money.currency_code && currency.size > 0)
        memcpy(money.currency_code, currency.data, currency.size);
    return money;
}

/* The consignment, and the parcels with their numbers. */
static bool read_consignment(struct step *step, struct text bytes, struct text number_bytes,
                             struct shipment *shipment)
{
    struct text numbers[shipping_parcels_max];
    switch (consignment_decode(bytes, step->arena, &shipment->consignment)) {
    case CONSIGNMENT_NO_MEMORY:
        (void)shipping_step_fail_memory(step);
        return false;
    case CONSIGNMENT_DAMAGED:
        return damaged(step, "consignment");
    case CONSIGNMENT_READ:
        break;
    }
    size_t count = shipment->consignment.parcel_count;
    struct shipment_parcel *parcels = shipping_step_allocate(step, count + 1, sizeof *parcels);
    if (parcels == NULL)
        return false;
    if (!numbers_decode(number_bytes, numbers, count))
        return damaged(step, "numbers");
    for (size_t i = 0; i < count; i++) {
        parcels[i].parcel = shipment->consignment.parcels[i];
        parcels[i].tracking_number = numbers[i];
    }
    shipment->parcels = parcels;
    return true;
}

bool shipment_row_read(struct step *step, const struct sql_rows *rows, size_t index,
                       struct shipment_row *row)
{
    struct text hash = sql_rows_blob(rows, index, 2);
    *row = (struct shipment_row){
        .shipment =
            {
                .shipment_id = sql_rows_text(rows, index, 1),
                .order_id = sql_rows_text(rows, index, 3),
                .reference = sql_rows_text(rows, index, 4),
                .carrier = sql_rows_text(rows, index, 5),
                .service_code = sql_rows_text(rows, index, 6),
                .label_format = (enum shipping_label_format)sql_rows_integer(rows, index, 8),
                .amount = money_of(rows, index, 9),
                .create_time_us = sql_rows_integer(rows, index, 11),
                .state = (enum shipment_state)sql_rows_integer(rows, index, 12),
                .attempt = (uint32_t)sql_rows_integer(rows, index, 13),
                .sent_time_us = sql_rows_integer(rows, index, 14),
                .lookup_time_us = sql_rows_integer(rows, index, 15),
                .lookups = (uint32_t)sql_rows_integer(rows, index, 16),
                .failure = sql_rows_text(rows, index, 17),
                .cancel_wanted = sql_rows_integer(rows, index, 18) != 0,
                .cancel_reason = sql_rows_text(rows, index, 19),
                .tracking_number = sql_rows_text(rows, index, 21),
                .charged = money_of(rows, index, 23),
                .estimated_delivery_time_us = sql_rows_integer(rows, index, 25),
                .revision = sql_rows_integer(rows, index, 27),
            },
        .resolution = (enum shipment_resolution)sql_rows_integer(rows, index, 20),
        .update_time_us = sql_rows_integer(rows, index, 26),
        .parcel_numbers = sql_rows_blob(rows, index, 22),
    };
    if (sql_session_has_failed(step->session))
        return false;
    if (hash.size != sizeof row->shipment.content_hash)
        return damaged(step, "content hash");
    memcpy(row->shipment.content_hash, hash.data, hash.size);
    return read_consignment(step, sql_rows_blob(rows, index, 7), row->parcel_numbers,
                            &row->shipment);
}

static bool find(struct step *step, const struct sql_statement *statement, struct text shipment_id,
                 struct shipment_row *row, enum sql_verdict *verdict)
{
    struct sql_rows rows;
    *verdict = SQL_FAIL;
    if (!sql_query(step->session, statement, BOUND(sql_text(shipment_id)), &rows))
        return false;
    if (rows.count == 0) {
        *verdict = shipping_step_refuse(step, SHIPPING_SHIPMENT_NOT_FOUND);
        return false;
    }
    return shipment_row_read(step, &rows, 0, row);
}

bool shipment_row_find(struct step *step, struct text shipment_id, struct shipment_row *row,
                       enum sql_verdict *verdict)
{
    static const struct sql_statement statement = {
        .text = "SELECT " SHIPMENT_COLUMNS " FROM shipping_shipments s WHERE s.shipment_id = $1"};
    return find(step, &statement, shipment_id, row, verdict);
}

bool shipment_row_lock(struct step *step, struct text shipment_id, struct shipment_row *row,
                       enum sql_verdict *verdict)
{
    static const struct sql_statement statement = {
        .text = "SELECT " SHIPMENT_COLUMNS " FROM shipping_shipments s WHERE s.shipment_id = $1",
        .for_update = true};
    if (!find(step, &statement, shipment_id, row, verdict))
        return false;
    *verdict = SQL_FAIL;
    return sql_session_now_us(step->session, row->update_time_us, &row->now_us);
}

static void add_audit(struct step *step, const struct shipment_row *row, uint32_t attempt,
                      const char *what, struct text note)
{
    shipping_step_audit(step, row->now_us, row->shipment.shipment_id, attempt, what, note);
}

bool shipment_row_change(struct step *step, struct shipment_row *row, uint32_t attempt,
                         const char *what, struct text note)
{
    static const struct sql_statement update = {
        .text = "UPDATE shipping_shipments SET state = $3, attempt = $4, sent_time_us = $5,"
                " lookup_time_us = $6, lookups = $7, failure = $8, cancel_wanted = $9,"
                " cancel_reason = $10, resolution = $11, tracking_number = $12,"
                " parcel_numbers = $13, charged_currency = $14, charged_minor = $15,"
                " estimated_delivery_time_us = $16, update_time_us = $17, revision = $2 + 1"
                " WHERE shipment_id = $1 AND revision = $2",
        .postgresql =
            "UPDATE shipping_shipments SET state = $3, attempt = $4, sent_time_us = $5,"
            " lookup_time_us = $6, lookups = $7, failure = $8, cancel_wanted = $9,"
            " cancel_reason = $10, resolution = $11, tracking_number = $12,"
            " parcel_numbers = $13, charged_currency = $14, charged_minor = $15,"
            " estimated_delivery_time_us = $16, update_time_us = $17, revision = $2::bigint + 1"
            " WHERE shipment_id = $1 AND revision = $2::bigint"};
    struct shipment *shipment = &row->shipment;
    row->update_time_us = row->now_us;
    sql_enqueue(
        step->session, &update,
        BOUND(sql_text(shipment->shipment_id), sql_integer(shipment->revision),
              sql_integer(shipment->state), sql_integer(shipment->attempt),
              sql_integer(shipment->sent_time_us), sql_integer(shipment->lookup_time_us),
              sql_integer(shipment->lookups), sql_text(shipment->failure),
              sql_integer(shipment->cancel_wanted), sql_text(shipment->cancel_reason),
              sql_integer(row->resolution), sql_text(shipment->tracking_number),
              sql_blob(row->parcel_numbers), sql_text(text_of(shipment->charged.currency_code)),
              sql_integer(shipment->charged.amount_minor),
              sql_integer(shipment->estimated_delivery_time_us), sql_integer(row->update_time_us)),
        1);
    shipment->revision++;
    if (what != NULL)
        add_audit(step, row, attempt, what, note);
    return !sql_session_has_failed(step->session);
}

bool shipment_row_insert(struct step *step, const struct shipment_row *row, struct text consignment)
{
    static const struct sql_statement insert = {
        .text = "INSERT INTO shipping_shipments (shipment_id, content_hash, order_id, reference,"
                " carrier, service_code, consignment, label_format, amount_currency,"
                " amount_minor, create_time_us, state, attempt, sent_time_us, lookup_time_us,"
                " lookups, failure, cancel_wanted, cancel_reason, resolution, tracking_number,"
                " parcel_numbers, charged_currency, charged_minor, estimated_delivery_time_us,"
                " update_time_us, revision)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, 0, 0, 0, '', 0,"
                " '', 0, '', $13, '', 0, 0, $11, 1)"};
    const struct shipment *shipment = &row->shipment;
    sql_enqueue(step->session, &insert,
                BOUND(sql_text(shipment->shipment_id),
                      sql_blob(text_make(shipment->content_hash, sizeof shipment->content_hash)),
                      sql_text(shipment->order_id), sql_text(shipment->reference),
                      sql_text(shipment->carrier), sql_text(shipment->service_code),
                      sql_blob(consignment), sql_integer(shipment->label_format),
                      sql_text(text_of(shipment->amount.currency_code)),
                      sql_integer(shipment->amount.amount_minor),
                      sql_integer(shipment->create_time_us), sql_integer(shipment->state),
                      sql_blob(text_of(""))),
                sql_any_number);
    add_audit(step, row, shipment->attempt, shipment_state_name(shipment->state), (struct text){0});
    return !sql_session_has_failed(step->session);
}

bool shipment_row_emit(struct step *step, const struct shipment_row *row,
                       enum shipping_event_type type, struct text reason)
{
    struct shipping_event event = {.type = type, .shipment = &row->shipment, .reason = reason};
    struct text id = row->shipment.shipment_id;
    char *event_id =
        arena_format(step->arena, "%.*s/%s", (int)id.size, id.data, shipping_event_name(type));
    if (event_id == NULL) {
        (void)shipping_step_fail_memory(step);
        return false;
    }
    return shipping_step_emit(step, &event, id, text_of(event_id), row->now_us);
}
