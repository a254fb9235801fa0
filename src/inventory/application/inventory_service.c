/*
 * Checks by field, all of them before any answer. What needs the state (is there enough, is the id
 * taken) is the repository's decision.
 */
#include "inventory/application/inventory_service.h"

#include "inventory/domain/limits.h"

static bool is_id(struct text id)
{
    return id.size <= inventory_id_bytes_max && text_is_identifier(id);
}

static void check_id(struct violations *violations, const char *field, struct text id)
{
    if (id.size == 0 || !is_id(id))
        violations_add(violations, "must be 1 to 64 characters of A-Z a-z 0-9 . _ : -", "%s",
                       field);
}

static void check_optional_id(struct violations *violations, const char *field, struct text id)
{
    if (!is_id(id))
        violations_add(violations, "must be empty or 1 to 64 characters of A-Z a-z 0-9 . _ : -",
                       "%s", field);
}

static bool is_sku(struct text sku)
{
    return sku.size <= inventory_sku_bytes_max && text_is_name(sku);
}

static const char sku_rule[] =
    "must be 1 to 64 bytes of UTF-8 without control characters or a space at either end";
static const char quantity_rule[] = "must be 1 to 1000000000000";

static void check_sku(struct violations *violations, const char *field, struct text sku)
{
    if (!is_sku(sku))
        violations_add(violations, sku_rule, "%s", field);
}

static bool is_quantity(int64_t quantity)
{
    return quantity >= 1 && quantity <= inventory_quantity_max;
}

static void check_revision(struct violations *violations, int64_t revision)
{
    if (revision < 0)
        violations_add(violations, "must be 0 or a revision", "expected_revision");
}

/* The page size to use: 0 is the default. */
static size_t check_page_size(struct violations *violations, int64_t page_size)
{
    if (page_size < 0 || page_size > inventory_page_size_max)
        violations_add(violations, "must be 0 to 1000", "page_size");
    return page_size == 0 ? inventory_page_size_default : (size_t)page_size;
}

/* Each line, then the sums: paths are those of the request, so sums are told by the first line. */
static size_t check_lines(struct violations *violations, struct quantity_line *lines, size_t count)
{
    size_t found = violations->count;
    for (size_t i = 0; i < count; i++) {
        if (!is_sku(lines[i].sku))
            violations_add(violations, sku_rule, "lines[%zu].sku", i);
        if (!is_quantity(lines[i].quantity))
            violations_add(violations, quantity_rule, "lines[%zu].quantity", i);
    }
    if (violations->count > found)
        return count;
    for (size_t i = 0; i < count; i++) {
        int64_t sum = lines[i].quantity;
        bool is_first = true;
        for (size_t j = 0; j < count; j++) {
            if (j == i || !text_equal(lines[j].sku, lines[i].sku))
                continue;
            is_first = is_first && j > i;
            sum += lines[j].quantity;
        }
        if (is_first && sum > inventory_quantity_max)
            violations_add(violations, "the lines of one SKU must sum to at most 1000000000000",
                           "lines[%zu].quantity", i);
    }
    return quantity_lines_normalize(lines, count);
}

bool inventory_service_receive_stock(struct inventory_service *service,
                                     struct receive_stock_command *command,
                                     struct violations *violations, inventory_done *done,
                                     void *context)
{
    check_id(violations, "receipt_id", command->receipt_id);
    check_sku(violations, "sku", command->sku);
    if (!is_quantity(command->quantity))
        violations_add(violations, quantity_rule, "quantity");
    if (violations->count > 0)
        return false;
    inventory_repository_receive_stock(service->repository, command, done, context);
    return true;
}

bool inventory_service_adjust_stock(struct inventory_service *service,
                                    struct adjust_stock_command *command,
                                    struct violations *violations, inventory_done *done,
                                    void *context)
{
    check_id(violations, "adjustment_id", command->adjustment_id);
    check_sku(violations, "sku", command->sku);
    if (command->delta == 0 || command->delta < -inventory_quantity_max ||
        command->delta > inventory_quantity_max)
        violations_add(violations, "must be -1000000000000 to 1000000000000 and not 0", "delta");
    if (command->reason < ADJUSTMENT_COUNT || command->reason > ADJUSTMENT_OTHER)
        violations_add(violations, "must be one of the AdjustmentReason values", "reason");
    if (command->note.size > inventory_note_bytes_max)
        violations_add(violations, "must be at most 256 bytes", "note");
    check_revision(violations, command->expected_revision);
    if (violations->count > 0)
        return false;
    inventory_repository_adjust_stock(service->repository, command, done, context);
    return true;
}

static void check_policy_value(struct violations *violations, const char *field, int64_t value)
{
    if (value < 0 || value > inventory_quantity_max)
        violations_add(violations, "must be 0 to 1000000000000", "%s", field);
}

bool inventory_service_set_stock_policy(struct inventory_service *service,
                                        struct set_stock_policy_command *command,
                                        struct violations *violations, inventory_done *done,
                                        void *context)
{
    const struct stock_policy *policy = &command->policy;
    check_sku(violations, "sku", command->sku);
    check_policy_value(violations, "low_stock_threshold", policy->low_stock_threshold);
    check_policy_value(violations, "safety_stock", policy->safety_stock);
    check_policy_value(violations, "backorder_limit", policy->backorder_limit);
    check_policy_value(violations, "reservation_quantity_max", policy->reservation_quantity_max);
    check_revision(violations, command->expected_revision);
    if (violations->count > 0)
        return false;
    inventory_repository_set_stock_policy(service->repository, command, done, context);
    return true;
}

bool inventory_service_get_stock(struct inventory_service *service,
                                 struct get_stock_command *command, struct violations *violations,
                                 inventory_done *done, void *context)
{
    check_sku(violations, "sku", command->sku);
    if (violations->count > 0)
        return false;
    inventory_repository_get_stock(service->repository, command, done, context);
    return true;
}

static void check_skus(struct violations *violations, const struct text *skus, size_t sku_count)
{
    for (size_t i = 0; i < sku_count; i++) {
        if (!is_sku(skus[i]))
            violations_add(violations, sku_rule, "skus[%zu]", i);
    }
}

bool inventory_service_check_watch(struct text *skus, size_t *sku_count,
                                   struct violations *violations)
{
    check_skus(violations, skus, *sku_count);
    if (violations->count > 0)
        return false;
    *sku_count = texts_normalize(skus, *sku_count);
    return true;
}

bool inventory_service_batch_get_stock(struct inventory_service *service,
                                       struct batch_get_stock_command *command, struct text *skus,
                                       size_t sku_count, struct violations *violations,
                                       inventory_done *done, void *context)
{
    if (sku_count == 0)
        violations_add(violations, "must have 1 to 1000 SKUs", "skus");
    check_skus(violations, skus, sku_count);
    if (violations->count > 0)
        return false;
    command->skus = skus;
    command->sku_count = texts_normalize(skus, sku_count);
    inventory_repository_batch_get_stock(service->repository, command, done, context);
    return true;
}

bool inventory_service_list_stock(struct inventory_service *service,
                                  struct list_stock_command *command, int64_t page_size,
                                  struct violations *violations, inventory_done *done,
                                  void *context)
{
    command->page_size = check_page_size(violations, page_size);
    if (command->has_state && command->state > STOCK_STATE_OUT_OF_STOCK)
        violations_add(violations, "must be one of the StockState values or unspecified", "state");
    if (violations->count > 0)
        return false;
    inventory_repository_list_stock(service->repository, command, done, context);
    return true;
}

static void check_ttl(struct violations *violations, int64_t ttl_us)
{
    if (ttl_us < inventory_ttl_us_min || ttl_us > inventory_ttl_us_max)
        violations_add(violations, "must be 1 second to 31 days", "ttl");
}

bool inventory_service_check_reserve(struct reserve_command *command, struct quantity_line *lines,
                                     size_t line_count, struct violations *violations)
{
    check_id(violations, "reservation_id", command->reservation_id);
    check_optional_id(violations, "order_id", command->order_id);
    check_optional_id(violations, "customer_id", command->customer_id);
    if (line_count == 0)
        violations_add(violations, "must have 1 to 100 lines", "lines");
    check_ttl(violations, command->ttl_us);
    command->lines = lines;
    command->line_count = check_lines(violations, lines, line_count);
    return violations->count == 0;
}

void inventory_service_start_reserve(struct inventory_service *service,
                                     struct reserve_command *command, inventory_done *done,
                                     void *context)
{
    inventory_repository_reserve(service->repository, command, done, context);
}

bool inventory_service_reserve(struct inventory_service *service, struct reserve_command *command,
                               struct quantity_line *lines, size_t line_count,
                               struct violations *violations, inventory_done *done, void *context)
{
    if (!inventory_service_check_reserve(command, lines, line_count, violations))
        return false;
    inventory_service_start_reserve(service, command, done, context);
    return true;
}

bool inventory_service_commit(struct inventory_service *service, struct commit_command *command,
                              struct quantity_line *lines, size_t line_count,
                              struct violations *violations, inventory_done *done, void *context)
{
    check_id(violations, "reservation_id", command->reservation_id);
    command->lines = lines;
    command->line_count = check_lines(violations, lines, line_count);
    if (violations->count > 0)
        return false;
    inventory_repository_commit(service->repository, command, done, context);
    return true;
}

bool inventory_service_rollback(struct inventory_service *service, struct rollback_command *command,
                                struct violations *violations, inventory_done *done, void *context)
{
    check_id(violations, "reservation_id", command->reservation_id);
    if (violations->count > 0)
        return false;
    inventory_repository_rollback(service->repository, command, done, context);
    return true;
}

bool inventory_service_extend_reservation(struct inventory_service *service,
                                          struct extend_reservation_command *command,
                                          struct violations *violations, inventory_done *done,
                                          void *context)
{
    check_id(violations, "reservation_id", command->reservation_id);
    check_ttl(violations, command->ttl_us);
    if (violations->count > 0)
        return false;
    inventory_repository_extend_reservation(service->repository, command, done, context);
    return true;
}

bool inventory_service_return_stock(struct inventory_service *service,
                                    struct return_stock_command *command,
                                    struct quantity_line *lines, size_t line_count,
                                    struct violations *violations, inventory_done *done,
                                    void *context)
{
    check_id(violations, "return_id", command->return_id);
    check_id(violations, "reservation_id", command->reservation_id);
    if (line_count == 0)
        violations_add(violations, "must have 1 to 100 lines", "lines");
    if (command->reason < RETURN_CANCELLED || command->reason > RETURN_OTHER)
        violations_add(violations, "must be one of the ReturnReason values", "reason");
    command->lines = lines;
    command->line_count = check_lines(violations, lines, line_count);
    if (violations->count > 0)
        return false;
    inventory_repository_return_stock(service->repository, command, done, context);
    return true;
}

bool inventory_service_list_reservations(struct inventory_service *service,
                                         struct list_reservations_command *command,
                                         int64_t page_size, struct violations *violations,
                                         inventory_done *done, void *context)
{
    check_optional_id(violations, "order_id", command->order_id);
    check_optional_id(violations, "customer_id", command->customer_id);
    if (command->sku.size > 0)
        check_sku(violations, "sku", command->sku);
    if (command->has_state && command->state > RESERVATION_EXPIRED)
        violations_add(violations, "must be one of the ReservationState values or unspecified",
                       "state");
    command->page_size = check_page_size(violations, page_size);
    if (violations->count > 0)
        return false;
    inventory_repository_list_reservations(service->repository, command, done, context);
    return true;
}

bool inventory_service_get_reservation(struct inventory_service *service,
                                       struct get_reservation_command *command,
                                       struct violations *violations, inventory_done *done,
                                       void *context)
{
    check_id(violations, "reservation_id", command->reservation_id);
    if (violations->count > 0)
        return false;
    inventory_repository_get_reservation(service->repository, command, done, context);
    return true;
}

bool inventory_service_list_stock_entries(struct inventory_service *service,
                                          struct list_stock_entries_command *command,
                                          int64_t page_size, struct violations *violations,
                                          inventory_done *done, void *context)
{
    check_sku(violations, "sku", command->sku);
    command->page_size = check_page_size(violations, page_size);
    if (violations->count > 0)
        return false;
    inventory_repository_list_stock_entries(service->repository, command, done, context);
    return true;
}

void inventory_service_verify_ledger(struct inventory_service *service,
                                     struct verify_ledger_command *command, inventory_done *done,
                                     void *context)
{
    inventory_repository_verify_ledger(service->repository, command, done, context);
}
