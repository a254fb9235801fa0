/*
 * Pushes and what they say. A push is a row under the hash of its body; a scan is a row under the
 * hash of its content, and whoever inserts it tells the world.
 *
 * One step at a time records scans: it holds the turn, so events of a number that is of no shipment
 * keep their order; those of a shipment are kept in order by its row.
 */
#include "platform/base/hexadecimal.h"
#include "shipping/infrastructure/sql/step.h"

#include <openssl/evp.h>
#include <stdio.h>

enum { webhook_processed = 1, webhook_of_unknown_shape = 2, part_rows = 4 };

/* --- keeping and listing --- */

enum sql_verdict keep_webhook_script(struct step *step)
{
    static const struct sql_statement find = {
        .text = "SELECT position FROM shipping_webhooks WHERE carrier = $1 AND content_hash = $2"};
    static const struct sql_statement insert = {
        .text = "INSERT INTO shipping_webhooks (carrier, content_hash, body, receive_time_us,"
                " state, why) VALUES ($1, $2, $3, $4, 0, '') RETURNING position"};
    struct keep_webhook_command *command = (struct keep_webhook_command *)step->command;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    int64_t now_us;
    struct sql_rows rows;
    if (EVP_Digest(command->body.data, command->body.size, digest, &size, EVP_sha256(), NULL) != 1)
        return shipping_step_fail_memory(step);
    struct sql_value hash = sql_blob(text_make(digest, size));
    if (!sql_query(step->session, &find, BOUND(sql_text(command->carrier), hash), &rows))
        return SQL_FAIL;
    command->is_new = rows.count == 0;
    if (command->is_new && (!sql_session_now_us(step->session, 0, &now_us) ||
                            !sql_query(step->session, &insert,
                                       BOUND(sql_text(command->carrier), hash,
                                             sql_blob(command->body), sql_integer(now_us)),
                                       &rows)))
        return SQL_FAIL;
    command->webhook_id = (uint64_t)sql_rows_integer(&rows, 0, 0);
    return SQL_COMMIT;
}

enum sql_verdict list_webhooks_script(struct step *step)
{
    static const struct sql_statement list = {
        .text = "SELECT position, carrier, body, receive_time_us FROM shipping_webhooks"
                " WHERE state = 0 AND position > $1 ORDER BY position LIMIT $2"};
    struct list_webhooks_command *command = (struct list_webhooks_command *)step->command;
    size_t used_before = arena_used(step->arena);
    struct sql_rows rows;
    int64_t after = 0;
    command->webhook_count = 0;
    command->webhooks =
        shipping_step_allocate(step, command->page_size + 1, sizeof *command->webhooks);
    if (command->webhooks == NULL)
        return SQL_FAIL;
    do {
        size_t left = command->page_size - command->webhook_count;
        if (!sql_query(step->session, &list,
                       BOUND(sql_integer(after),
                             sql_integer((int64_t)(left < part_rows ? left : part_rows))),
                       &rows))
            return SQL_FAIL;
        for (size_t i = 0; i < rows.count; i++) {
            after = sql_rows_integer(&rows, i, 0);
            command->webhooks[command->webhook_count++] = (struct shipping_webhook){
                .webhook_id = (uint64_t)after,
                .carrier = sql_rows_text(&rows, i, 1),
                .body = sql_rows_blob(&rows, i, 2),
                .receive_time_us = sql_rows_integer(&rows, i, 3),
            };
        }
    } while (rows.count > 0 && command->webhook_count < command->page_size &&
             arena_used(step->arena) - used_before <= page_memory_bytes);
    return SQL_COMMIT;
}

/* --- scans --- */

static bool insert_scan(struct step *step, const char hash[32], uint64_t webhook_id, bool *is_new)
{
    static const struct sql_statement insert = {
        .text = "INSERT INTO shipping_scans (scan_hash, webhook_id) VALUES ($1, $2)"
                " ON CONFLICT DO NOTHING"};
    int64_t affected;
    if (!sql_execute(step->session, &insert,
                     BOUND(sql_blob(text_make(hash, 32)), sql_integer((int64_t)webhook_id)),
                     &affected))
        return false;
    *is_new = affected == 1;
    return true;
}

/* Whose number it is, locked; empty ids = of no shipment of ours. Gives the step's time. */
static bool lock_shipment(struct step *step, struct text carrier, struct text tracking_number,
                          struct shipping_event *event, int64_t *now_us)
{
    static const struct sql_statement find = {
        .text = "SELECT s.shipment_id, s.order_id, s.update_time_us"
                " FROM shipping_numbers n JOIN shipping_shipments s"
                " ON s.shipment_id = n.shipment_id"
                " WHERE n.carrier = $1 AND n.tracking_number = $2"
                " ORDER BY s.position DESC LIMIT 1",
        .for_update = true};
    struct sql_rows rows;
    int64_t latest_us = 0;
    if (!sql_query(step->session, &find, BOUND(sql_text(carrier), sql_text(tracking_number)),
                   &rows))
        return false;
    if (rows.count > 0) {
        event->shipment_id = sql_rows_text(&rows, 0, 0);
        event->order_id = sql_rows_text(&rows, 0, 1);
        latest_us = sql_rows_integer(&rows, 0, 2);
    }
    return sql_session_now_us(step->session, latest_us, now_us);
}

/* "CARRIER/NUMBER", cut where a carrier's number is longer than a key may be. */
static struct text key_of(const struct shipping_event *event, char key[event_key_bytes_max])
{
    size_t room = event_key_bytes_max - event->carrier.size - 2;
    struct text number = text_shortened(event->scan->tracking_number, room);
    if (event->shipment_id.size > 0)
        return event->shipment_id;
    int size = snprintf(key, event_key_bytes_max, "%.*s/%.*s", (int)event->carrier.size,
                        event->carrier.data, (int)number.size, number.data);
    return text_make(key, (size_t)size);
}

static bool tell(struct step *step, const struct record_scans_command *command,
                 const struct shipping_scan *scan, const char hash[32])
{
    static const char name[] = "/CarrierEventReceived";
    struct shipping_event event = {
        .type = EVENT_CARRIER_EVENT_RECEIVED,
        .carrier = command->carrier,
        .scan = scan,
        .receive_time_us = command->receive_time_us,
    };
    char key[event_key_bytes_max];
    char event_id[64 + sizeof name];
    int64_t now_us;
    hexadecimal_write(hash, 32, event_id);
    memcpy(event_id + 64, name, sizeof name);
    return lock_shipment(step, command->carrier, scan->tracking_number, &event, &now_us) &&
           shipping_step_emit(step, &event, key_of(&event, key), text_of(event_id), now_us);
}

static void end_webhook(struct step *step, const struct record_scans_command *command)
{
    static const struct sql_statement update = {
        .text = "UPDATE shipping_webhooks SET state = $2, why = $3"
                " WHERE position = $1 AND state = 0"};
    int64_t state = command->is_unknown_shape ? webhook_of_unknown_shape : webhook_processed;
    sql_enqueue(step->session, &update,
                BOUND(sql_integer((int64_t)command->webhook_id), sql_integer(state),
                      sql_text(command->why)),
                sql_any_number);
}

enum sql_verdict record_scans_script(struct step *step)
{
    struct record_scans_command *command = (struct record_scans_command *)step->command;
    command->new_count = 0;
    if (command->scan_count > 0 && !step_take_turn(step))
        return SQL_FAIL;
    for (size_t i = 0; i < command->scan_count; i++) {
        char hash[32];
        bool is_new;
        shipping_scan_hash(command->carrier, &command->scans[i], hash);
        if (!insert_scan(step, hash, command->webhook_id, &is_new) ||
            (is_new && !tell(step, command, &command->scans[i], hash)))
            return SQL_FAIL;
        command->new_count += is_new;
    }
    if (command->webhook_id != 0)
        end_webhook(step, command);
    return SQL_COMMIT;
}
