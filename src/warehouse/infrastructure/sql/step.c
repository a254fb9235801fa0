/* What scripts share. Everything is on the job's arena; what does not fit there fails the step. */
#include "warehouse/infrastructure/sql/step.h"

#include "platform/base/hexadecimal.h"
#include "warehouse/infrastructure/sql/sql_warehouse_state.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { content_bytes_max = 1024 * 1024 };

void step_begin(struct step *step)
{
    struct warehouse_command *command = step->command;
    step->is_due = false;
    if (command == NULL)
        return;
    command->outcome = WAREHOUSE_DONE;
    command->failed = (struct text){0};
    command->shortages = NULL;
    command->shortage_count = 0;
    violations_init(&command->violations, step->arena);
}

enum sql_verdict step_refuse(struct step *step, enum warehouse_outcome outcome, struct text failed)
{
    step->command->outcome = outcome;
    step->command->failed = failed;
    return SQL_ROLL_BACK;
}

enum sql_verdict step_fail_memory(struct step *step)
{
    *step->error = error_make(ERROR_OUT_OF_MEMORY, "no room for a command's results");
    return SQL_FAIL;
}

enum sql_verdict step_invalid(struct step *step)
{
    return step_refuse(step, WAREHOUSE_INVALID_FIELD, (struct text){0});
}

void *step_allocate(struct step *step, size_t count, size_t size)
{
    void *memory = arena_allocate_zero(step->arena, count, size);
    if (memory == NULL)
        (void)step_fail_memory(step);
    return memory;
}

enum sql_verdict step_insufficient(struct step *step, struct text sku, int64_t requested,
                                   int64_t available)
{
    struct shortage *shortage = step_allocate(step, 1, sizeof *shortage);
    if (shortage == NULL)
        return SQL_FAIL;
    *shortage = (struct shortage){
        .sku = sku, .requested_quantity = requested, .available_quantity = available};
    step->command->shortages = shortage;
    step->command->shortage_count = 1;
    return step_refuse(step, WAREHOUSE_INSUFFICIENT_STOCK, sku);
}

bool step_emit(struct step *step, const struct warehouse_event *event, struct text key,
               struct text event_id, int64_t time_us)
{
    char type[event_type_bytes_max + 1];
    struct event envelope = {.event_id = event_id, .key = key, .time_us = time_us};
    if (event_id.data == NULL || !step->repository->encode(event, step->arena, &envelope.data)) {
        (void)step_fail_memory(step);
        return false;
    }
    snprintf(type, sizeof type, "waybill.warehouse.v1.%s", warehouse_event_name(event->type));
    envelope.type = text_of(type);
    return sql_outbox_append(step->session, step->repository->outbox, &envelope, step->error);
}

/* --- lists of texts --- */

struct text step_list(struct step *step, const struct text *texts, size_t count)
{
    size_t room = 3;
    for (size_t i = 0; i < count; i++)
        room += 2 * texts[i].size + 3;
    bool is_array = sql_session_dialect(step->session) == SQL_DIALECT_POSTGRESQL;
    char *out = step_allocate(step, 1, room);
    char *at = out;
    if (out == NULL)
        return (struct text){0};
    *at++ = is_array ? '{' : '[';
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            *at++ = ',';
        *at++ = '"';
        for (size_t k = 0; k < texts[i].size; k++) { /* there are no control characters */
            if (texts[i].data[k] == '"' || texts[i].data[k] == '\\')
                *at++ = '\\';
            *at++ = texts[i].data[k];
        }
        *at++ = '"';
    }
    *at++ = is_array ? '}' : ']';
    return text_make(out, (size_t)(at - out));
}

struct text step_join(struct step *step, const struct text *texts, size_t count)
{
    size_t room = 1;
    for (size_t i = 0; i < count; i++)
        room += texts[i].size + 1;
    char *out = step_allocate(step, 1, room);
    char *at = out;
    if (out == NULL)
        return (struct text){0};
    for (size_t i = 0; i < count; i++) {
        if (texts[i].size > 0)
            memcpy(at, texts[i].data, texts[i].size);
        at += texts[i].size;
        *at++ = '\n';
    }
    return text_make(out, (size_t)(at - out));
}

bool step_split(struct step *step, struct text joined, const struct text **texts, size_t *count)
{
    size_t lines = 0;
    size_t start = 0;
    for (size_t i = 0; i < joined.size; i++)
        lines += joined.data[i] == '\n';
    struct text *out = step_allocate(step, lines + 1, sizeof *out);
    if (out == NULL)
        return false;
    *count = 0;
    for (size_t i = 0; i < joined.size; i++) {
        if (joined.data[i] != '\n')
            continue;
        struct text line = text_make(joined.data + start, i - start);
        out[(*count)++] = line;
        start = i + 1;
    }
    *texts = out;
    return true;
}

size_t page_rows(struct list_page *page, const struct sql_rows *rows)
{
    page->next = 0;
    if (rows->count <= page->size)
        return rows->count;
    page->next = (uint64_t)sql_rows_integer(rows, page->size - 1, 0);
    return page->size;
}

/*
 * A call has 16 MiB for what is read here, for the message made of it, which is two to three times
 * as large at most, and for its bytes, which are that as JSON, too. Rows are asked for in parts:
 * those of a whole page could be too much already.
 */
static const size_t page_memory_bytes = (size_t)1024 * 1024;
enum { page_part_rows = 8 };

/* A page under way: what of it is read, and what the arena held before. */
struct page_reading {
    struct step *step;
    const struct page_source *source;
    char *records;
    size_t count;
    size_t used_before;
};

static bool page_is_full(const struct page_reading *reading)
{
    return reading->count > 0 &&
           arena_used(reading->step->arena) - reading->used_before > page_memory_bytes;
}

/* Reads a part; part->after is the last record's place then, part->next 0 behind the last one. */
static bool read_part(struct page_reading *reading, struct list_page *part)
{
    struct step *step = reading->step;
    const struct page_source *source = reading->source;
    struct sql_rows rows;
    if (!source->query(step, part, &rows))
        return false;
    size_t row_count = page_rows(part, &rows);
    for (size_t i = 0; i < row_count; i++) {
        if (page_is_full(reading)) {
            part->next = part->after;
            return true;
        }
        if (!source->read(step, &rows, i, reading->records + reading->count * source->record_size))
            return false;
        reading->count++;
        part->after = (uint64_t)sql_rows_integer(&rows, i, 0);
    }
    return true;
}

void *page_read(struct step *step, struct list_page *page, const struct page_source *source,
                size_t *count)
{
    struct page_reading reading = {
        .step = step,
        .source = source,
        .records = step_allocate(step, page->size + 1, source->record_size),
        .used_before = arena_used(step->arena),
    };
    struct list_page part = {.after = page->after};
    if (reading.records == NULL)
        return NULL;
    do {
        size_t left = page->size - reading.count;
        part.size = left < page_part_rows ? left : page_part_rows;
        if (!read_part(&reading, &part))
            return NULL;
    } while (part.next != 0 && reading.count < page->size && !page_is_full(&reading));
    page->next = part.next;
    *count = reading.count;
    return reading.records;
}

/* --- contents and ids --- */

void content_begin(struct content *content, const char *kind)
{
    buffer_init(&content->bytes, content_bytes_max);
    content->failed = false;
    content_text(content, text_of(kind));
}

void content_text(struct content *content, struct text text)
{
    content_number(content, (int64_t)text.size);
    if (!content->failed && text.size > 0)
        content->failed = !buffer_append_text(&content->bytes, text);
}

void content_number(struct content *content, int64_t number)
{
    char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)((uint64_t)number >> (8 * i));
    if (!content->failed)
        content->failed = !buffer_append(&content->bytes, bytes, sizeof bytes);
}

void content_money(struct content *content, struct money money)
{
    content_text(content, text_of(money.currency));
    content_number(content, money.amount_minor);
}

void content_address(struct content *content, const struct address *address)
{
    content_text(content, address->name);
    content_text(content, address->company);
    content_text(content, address->phone);
    content_text(content, address->email);
    content_number(content, (int64_t)address->line_count);
    for (size_t i = 0; i < address->line_count; i++)
        content_text(content, address->lines[i]);
    content_text(content, address->city);
    content_text(content, address->region);
    content_text(content, address->postal_code);
    content_text(content, address->country_code);
    content_number(content, address->has_point);
    content_number(content, address->has_point ? address->point.latitude_e7 : 0);
    content_number(content, address->has_point ? address->point.longitude_e7 : 0);
}

struct text content_take(struct content *content, struct step *step)
{
    unsigned char *digest = step_allocate(step, 1, EVP_MAX_MD_SIZE);
    unsigned size = 0;
    bool good = digest != NULL && !content->failed &&
                EVP_Digest(content->bytes.data, content->bytes.size, digest, &size, EVP_sha256(),
                           NULL) == 1;
    buffer_deinit(&content->bytes);
    if (!good) {
        (void)step_fail_memory(step);
        return (struct text){0};
    }
    return text_make(digest, size);
}

struct text step_made_id(struct step *step, const char *kind, struct text id, struct text part,
                         int64_t number)
{
    enum { digits = 40 };
    struct content content;
    content_begin(&content, kind);
    content_text(&content, id);
    content_text(&content, part);
    content_number(&content, number);
    struct text digest = content_take(&content, step);
    char *out = digest.data == NULL ? NULL : step_allocate(step, 1, digits + 1);
    if (out == NULL)
        return (struct text){0};
    hexadecimal_write(digest.data, digits / 2, out);
    return text_make(out, digits);
}

/* --- what many scripts look up --- */

bool step_find_site(struct step *step, struct text warehouse_id, bool *active,
                    enum sql_verdict *verdict)
{
    static const struct sql_statement find = {
        .text = "SELECT active FROM warehouse_sites WHERE warehouse_id = $1"};
    struct sql_rows rows;
    *verdict = SQL_FAIL;
    *active = false;
    if (!sql_query(step->session, &find, BOUND(sql_text(warehouse_id)), &rows))
        return false;
    if (rows.count == 0) {
        *verdict = step_refuse(step, WAREHOUSE_WAREHOUSE_NOT_FOUND, warehouse_id);
        return false;
    }
    *active = sql_rows_integer(&rows, 0, 0) != 0;
    return true;
}

bool step_find_bin(struct step *step, struct text warehouse_id, struct text zone, struct text bin,
                   enum sql_verdict *verdict)
{
    static const struct sql_statement find = {
        .text = "SELECT 1 FROM warehouse_bins WHERE warehouse_id = $1 AND zone = $2 AND bin = $3",
        .postgresql = "SELECT 1::bigint FROM warehouse_bins"
                      " WHERE warehouse_id = $1 AND zone = $2 AND bin = $3"};
    struct sql_rows rows;
    *verdict = SQL_FAIL;
    if (zone.size == 0 && bin.size == 0)
        return true;
    if (!sql_query(step->session, &find,
                   BOUND(sql_text(warehouse_id), sql_text(zone), sql_text(bin)), &rows))
        return false;
    if (rows.count > 0)
        return true;
    *verdict = step_refuse(step, WAREHOUSE_BIN_NOT_FOUND, bin);
    return false;
}

bool step_find_sku(struct step *step, struct text sku, enum sql_verdict *verdict)
{
    static const struct sql_statement find = {
        .text = "SELECT position FROM warehouse_items WHERE sku = $1"
                " UNION ALL SELECT position FROM warehouse_stock WHERE sku = $1 LIMIT 1"};
    struct sql_rows rows;
    *verdict = SQL_FAIL;
    if (!sql_query(step->session, &find, BOUND(sql_text(sku)), &rows))
        return false;
    if (rows.count > 0)
        return true;
    *verdict = step_refuse(step, WAREHOUSE_SKU_NOT_FOUND, sku);
    return false;
}

bool step_holds_are_due(struct step *step, struct text sku_list, int64_t now_us)
{
    static const struct sql_statement find = {
        .text = "SELECT 1 FROM warehouse_allocations a"
                " JOIN warehouse_allocation_lines l ON l.allocation_id = a.allocation_id"
                " WHERE a.state = 1 AND a.expire_time_us <= $1"
                " AND l.sku IN (SELECT value FROM json_each($2)) LIMIT 1",
        .postgresql = "SELECT 1::bigint FROM warehouse_allocations a"
                      " JOIN warehouse_allocation_lines l ON l.allocation_id = a.allocation_id"
                      " WHERE a.state = 1 AND a.expire_time_us <= $1"
                      " AND l.sku = ANY ($2::text::text[]) LIMIT 1"};
    struct sql_rows rows;
    if (!sql_query(step->session, &find, BOUND(sql_integer(now_us), sql_text(sku_list)), &rows))
        return false;
    step->is_due = rows.count > 0;
    step->due_at_us = now_us;
    return step->is_due;
}

bool step_time_and_due(struct step *step, struct text sku_list, int64_t latest_us, int64_t *now_us)
{
    static const struct sql_statement ask = {
        .text = "SELECT 0, 0",
        .postgresql =
            "SELECT t.now_us, EXISTS (SELECT 1 FROM warehouse_allocations a"
            " JOIN warehouse_allocation_lines l ON l.allocation_id = a.allocation_id"
            " WHERE a.state = 1 AND a.expire_time_us <= t.now_us AND l.sku = ANY "
            "($2::text::text[]))"
            " FROM (SELECT GREATEST((extract(epoch FROM clock_timestamp()) * 1000000)::bigint,"
            " $1::bigint) AS now_us OFFSET 0) t"};
    struct sql_rows rows;
    if (sql_session_dialect(step->session) == SQL_DIALECT_SQLITE)
        return sql_session_now_us(step->session, latest_us, now_us) &&
               step_holds_are_due(step, sku_list, *now_us);
    if (!sql_query(step->session, &ask, BOUND(sql_integer(latest_us), sql_text(sku_list)), &rows))
        return false;
    *now_us = sql_rows_integer(&rows, 0, 0);
    step->is_due = sql_rows_integer(&rows, 0, 1) != 0;
    step->due_at_us = *now_us;
    return step->is_due;
}
