/* What scripts share. Everything is on the job's arena; what does not fit there fails the step. */
#include "shipping/infrastructure/sql/step.h"

#include <stdio.h>

/* A call has 16 MiB for what is read here and for the message made of it. */
const size_t page_memory_bytes = (size_t)1024 * 1024;

enum sql_verdict shipping_step_refuse(struct step *step, enum shipping_outcome outcome)
{
    step->command->outcome = outcome;
    return SQL_ROLL_BACK;
}

enum sql_verdict shipping_step_fail_memory(struct step *step)
{
    *step->error = error_make(ERROR_OUT_OF_MEMORY, "no room for a command's results");
    return SQL_FAIL;
}

void *shipping_step_allocate(struct step *step, size_t count, size_t size)
{
    void *memory = arena_allocate_zero(step->arena, count, size);
    if (memory == NULL)
        (void)shipping_step_fail_memory(step);
    return memory;
}

bool shipping_step_copy(struct step *step, struct text *text)
{
    *text = arena_copy_text(step->arena, *text);
    if (text->data == NULL)
        (void)shipping_step_fail_memory(step);
    return text->data != NULL;
}

bool shipping_step_emit(struct step *step, const struct shipping_event *event, struct text key,
                        struct text event_id, int64_t time_us)
{
    char type[event_type_bytes_max + 1];
    struct event envelope = {.event_id = event_id, .key = key, .time_us = time_us};
    if (!step->encode(event, step->arena, &envelope.data)) {
        (void)shipping_step_fail_memory(step);
        return false;
    }
    snprintf(type, sizeof type, "waybill.shipping.v1.%s", shipping_event_name(event->type));
    envelope.type = text_of(type);
    return sql_outbox_append(step->session, step->outbox, &envelope, step->error);
}

void shipping_step_audit(struct step *step, int64_t time_us, struct text shipment_id,
                         uint32_t attempt, const char *what, struct text note)
{
    static const struct sql_statement insert = {
        .text = "INSERT INTO shipping_audit (time_us, shipment_id, attempt, what, note, url,"
                " request, status, answer, duration_us)"
                " VALUES ($1, $2, $3, $4, $5, '', $6, 0, $6, 0)"};
    sql_enqueue(step->session, &insert,
                BOUND(sql_integer(time_us), sql_text(shipment_id), sql_integer(attempt),
                      sql_text(text_of(what)), sql_text(note), sql_blob(text_of(""))),
                sql_any_number);
}

bool step_take_turn(struct step *step)
{
    static const struct sql_statement lock = {
        .text = "SELECT turn_id FROM shipping_turn WHERE turn_id = 1", .for_update = true};
    struct sql_rows rows;
    return sql_query(step->session, &lock, NULL, 0, &rows);
}

bool shipping_step_read_page(struct step *step, const struct step_page *page, uint64_t *next)
{
    size_t count = 0;
    uint64_t after = page->after;
    bool has_more = true;
    *next = 0;
    while (has_more) {
        size_t left = page->size - count;
        bool is_full = left == 0 || (count > 0 && arena_used(step->arena) - page->used_before >
                                                      page_memory_bytes);
        size_t part = is_full ? 1 : left < page->part_rows ? left : page->part_rows;
        struct sql_rows rows;
        if (!sql_query(
                step->session, page->list,
                BOUND(sql_text(page->of), sql_integer((int64_t)after), sql_integer((int64_t)part)),
                &rows))
            return false;
        if (is_full) {
            *next = rows.count > 0 ? after : 0;
            return true;
        }
        has_more = rows.count == part;
        for (size_t i = 0; i < rows.count; i++) {
            page->take(step, &rows, i);
            after = (uint64_t)sql_rows_integer(&rows, i, 0);
        }
        count += rows.count;
    }
    return true;
}
