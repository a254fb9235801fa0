/*
 * One INSERT, which travels with the transaction's next statement or its commit. The bound is
 * looked at before: refusing is cheap, and nothing has to be undone. What a transaction that is
 * rolled back had counted is put right by the relay's next measurement.
 */
#include "platform/events/sql_outbox.h"

#include "platform/base/check.h"

#include <stdio.h>
#include <string.h>

enum { row_bytes = 192 }; /* what a row takes besides its data, roughly, index included */

void sql_outbox_init(struct sql_outbox *outbox, const char *context, uint64_t bytes_max,
                     struct random *random)
{
    *outbox = (struct sql_outbox){.random = random, .bytes_max = bytes_max};
    CHECK(strlen(context) < sizeof outbox->context && bytes_max > 0);
    strcpy(outbox->context, context);
    int size = snprintf(outbox->insert_text, sizeof outbox->insert_text,
                        "INSERT INTO %s_outbox (event_id, event_type, event_key, time_us, data) "
                        "VALUES ($1, $2, $3, $4, $5)",
                        context);
    CHECK(size > 0 && (size_t)size < sizeof outbox->insert_text);
    outbox->insert.text = outbox->insert_text;
}

/* "warehouse-0f3a…": 128 bits by chance. */
static struct text random_id(struct sql_outbox *outbox, char id[event_id_bytes_max])
{
    int size = snprintf(id, event_id_bytes_max, "%s-%016llx%016llx", outbox->context,
                        (unsigned long long)random_uint64(outbox->random),
                        (unsigned long long)random_uint64(outbox->random));
    CHECK(size > 0 && size < event_id_bytes_max);
    return text_make(id, (size_t)size);
}

bool sql_outbox_append(struct sql_session *session, struct sql_outbox *outbox,
                       const struct event *event, struct error *error)
{
    char id[event_id_bytes_max];
    struct text event_id = event->event_id.size > 0 ? event->event_id : random_id(outbox, id);
    CHECK(event_id.size <= event_id_bytes_max && event->key.size <= event_key_bytes_max);
    CHECK(event->type.size > 0 && event->type.size <= event_type_bytes_max);
    if (event->data.size > event_data_bytes_max) {
        *error = error_make(ERROR_LIMIT, "an event of %s has %zu bytes, at most %d are taken",
                            outbox->context, event->data.size, event_data_bytes_max);
        return false;
    }
    if (atomic_load(&outbox->bytes) >= outbox->bytes_max) {
        *error = error_make(ERROR_OUTBOX_FULL,
                            "%s: the events waiting for the relay take %llu bytes, which is the "
                            "bound; nothing is written until they are fewer",
                            outbox->context, (unsigned long long)outbox->bytes_max);
        return false;
    }
    struct sql_value parameters[] = {
        sql_text(event_id),          sql_text(event->type), sql_text(event->key),
        sql_integer(event->time_us), sql_blob(event->data),
    };
    if (!sql_enqueue(session, &outbox->insert, parameters, sizeof parameters / sizeof parameters[0],
                     sql_one_known))
        return false;
    atomic_fetch_add(&outbox->bytes, event->data.size + row_bytes);
    return true;
}

uint64_t sql_outbox_bytes(const struct sql_outbox *outbox)
{
    return atomic_load(&outbox->bytes);
}

void sql_outbox_measured(struct sql_outbox *outbox, uint64_t rows, uint64_t data_bytes)
{
    atomic_store(&outbox->bytes, data_bytes + rows * row_bytes);
}
