#ifndef WAYBILL_WAREHOUSE_INFRASTRUCTURE_SQL_STEP_H
#define WAYBILL_WAREHOUSE_INFRASTRUCTURE_SQL_STEP_H

#include "platform/base/buffer.h"
#include "platform/events/sql_outbox.h"
#include "platform/sql/sql.h"
#include "warehouse/domain/warehouse_event.h"
#include "warehouse/domain/warehouse_repository.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One run of a script: a command on its way through one transaction, and what all scripts need for
 * it. A script may be run again from the beginning; step_begin puts the command's results back.
 * Thread: the store's that runs the script.
 */
struct sql_warehouse_repository;
struct site_directory;

struct step {
    struct sql_warehouse_repository *repository;
    struct sql_session *session;
    struct arena *arena;
    struct error *error;
    struct warehouse_command *command;
    bool is_due;       /* set with SQL_ROLL_BACK: tentative allocations must be expired first */
    int64_t due_at_us; /* with is_due: when they are due, by this step's time */
};

/* A script of the table: takes the decision of its command. */
typedef enum sql_verdict step_script(struct step *step);

/* Puts the results of a command back to nothing. */
void step_begin(struct step *step);

/* How a script ends: a refusal, with what was not found ("" = nothing); no memory. */
enum sql_verdict step_refuse(struct step *step, enum warehouse_outcome outcome, struct text failed);
enum sql_verdict step_fail_memory(struct step *step);

/* Refuses with INVALID_FIELD after violations have been added to the command. */
enum sql_verdict step_invalid(struct step *step);

/* Refuses with INSUFFICIENT_STOCK of one SKU. */
enum sql_verdict step_insufficient(struct step *step, struct text sku, int64_t requested,
                                   int64_t available);

/* `count` values of `size` bytes, all zero; NULL sets the step's error. */
void *step_allocate(struct step *step, size_t count, size_t size);

/*
 * Adds an event to the transaction. `event_id` must be unique for ever. False: the script ends with
 * SQL_FAIL.
 */
bool step_emit(struct step *step, const struct warehouse_event *event, struct text key,
               struct text event_id, int64_t time_us);

/*
 * Texts as one parameter: IN (SELECT value FROM json_each($1)) on SQLite, = ANY ($1::text[]) on
 * PostgreSQL; both write what is in quotes the same way. Data is NULL without memory (the step's
 * error is set).
 */
struct text step_list(struct step *step, const struct text *texts, size_t count);

/* Texts joined by newlines, and back. */
struct text step_join(struct step *step, const struct text *texts, size_t count);
bool step_split(struct step *step, struct text joined, const struct text **texts, size_t *count);

/* What LIMIT is for a page: one more than its size, to see whether there is a next one. */
static inline struct sql_value page_limit(const struct list_page *page)
{
    return sql_integer((int64_t)page->size + 1);
}

/* The rows that belong on the page; sets page->next from column 0, the position. */
size_t page_rows(struct list_page *page, const struct sql_rows *rows);

/*
 * A list whose records may be large: `query` reads rows for a part of the page (part->after,
 * page_limit(part)), column 0 the position; `read` makes a record of a row. False: failed.
 */
struct page_source {
    bool (*query)(struct step *step, const struct list_page *part, struct sql_rows *rows);
    bool (*read)(struct step *step, const struct sql_rows *rows, size_t row, void *record);
    size_t record_size;
};

/*
 * Reads a page into an array on the step's arena. It ends at the page's size, or earlier when its
 * records have taken page_memory_bytes (step.c), but never without a record while there is one;
 * page->next then goes on behind the last. NULL: failed.
 */
void *page_read(struct step *step, struct list_page *page, const struct page_source *source,
                size_t *count);

/*
 * What a caller gave, as bytes to compare: a digest (SHA-256) of its fields in order. Begin, add,
 * take; what fails is told by the last.
 */
struct content {
    struct buffer bytes;
    bool failed;
};
void content_begin(struct content *content, const char *kind);
void content_text(struct content *content, struct text text);
void content_number(struct content *content, int64_t number);
void content_money(struct content *content, struct money money);
void content_address(struct content *content, const struct address *address);
/* Releases it; data is NULL without memory (the step's error is set). */
struct text content_take(struct content *content, struct step *step);

/* An id of ours made from others: 40 hexadecimal digits; data is NULL without memory. */
struct text step_made_id(struct step *step, const char *kind, struct text id, struct text part,
                         int64_t number);

/* Whether there is a warehouse; *active tells more. False: refused already (*verdict), or failed.
 */
bool step_find_site(struct step *step, struct text warehouse_id, bool *active,
                    enum sql_verdict *verdict);

/* Whether the place is one: the one without a bin, or a bin that was created. As above. */
bool step_find_bin(struct step *step, struct text warehouse_id, struct text zone, struct text bin,
                   enum sql_verdict *verdict);

/* Whether there is an item of that SKU, or any stock of it anywhere. As above. */
bool step_find_sku(struct step *step, struct text sku, enum sql_verdict *verdict);

/*
 * Whether a tentative allocation that holds one of the SKUs (step_list) is due at `now`. Then
 * the script ends with SQL_ROLL_BACK, is_due is set, and it will be run again after they have been
 * expired. False also when a statement failed.
 */
bool step_holds_are_due(struct step *step, struct text sku_list, int64_t now_us);

/* The step's time, not before `latest_us`, and step_holds_are_due by then, in one round trip. */
bool step_time_and_due(struct step *step, struct text sku_list, int64_t latest_us, int64_t *now_us);

/* The scripts, by aggregate. */
step_script put_item_script, get_item_script, list_items_script;
step_script create_warehouse_script, update_warehouse_script, get_warehouse_script;
step_script list_warehouses_script, set_cost_card_script, list_cost_cards_script;
step_script create_bin_script, list_bins_script;
step_script post_movement_script, list_movements_script, verify_movements_script;
step_script get_stock_script, list_stock_script;
step_script create_transfer_script, receive_transfer_script, cancel_transfer_script;
step_script get_transfer_script, list_transfers_script;
step_script start_count_script, record_count_script, approve_count_script, cancel_count_script;
step_script get_count_script, list_counts_script;
step_script plan_allocation_script, allocate_script, confirm_allocation_script;
step_script release_allocation_script, get_allocation_script, list_allocations_script;
step_script ship_allocation_script;

/*
 * Expires what is due, at most so many at once; *expired tells how many. Its time is at least
 * `due_at_us`, so that what one step saw as due another, whose clock ran back, does not spare.
 */
enum sql_verdict expire_script(struct step *step, int64_t due_at_us, size_t count_max,
                               size_t *expired);

#endif
