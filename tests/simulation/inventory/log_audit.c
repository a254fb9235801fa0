/*
 * One pass over the records with a few numbers for each SKU. Without memory it aborts, as the rest
 * of the simulation does.
 */
#include "tests/simulation/inventory/log_audit.h"

#include "inventory/infrastructure/embedded/inventory_record.h"
#include "platform/base/check.h"
#include "platform/storage/record_log.h"
#include "tests/simulation/inventory/inventory_workload.h"

#include <string.h>

struct audited_sku {
    char name[inventory_sku_bytes_max + 1];
    int64_t unreserved;
    int64_t safety_stock;
    int64_t threshold;
};

struct audit {
    struct audited_sku skus[workload_skus_max];
    size_t sku_count;
    struct inventory_record_lines lines;
    struct buffer *violation;
};

static struct audited_sku *find_sku(struct audit *audit, struct text name, bool *is_new)
{
    *is_new = false;
    for (size_t i = 0; i < audit->sku_count; i++) {
        if (text_equals_string(name, audit->skus[i].name))
            return &audit->skus[i];
    }
    CHECK(audit->sku_count < workload_skus_max);
    struct audited_sku *sku = &audit->skus[audit->sku_count++];
    memcpy(sku->name, name.data, name.size);
    *is_new = true;
    return sku;
}

static enum stock_state state_of(const struct audited_sku *sku)
{
    int64_t available = sku->unreserved - sku->safety_stock;
    if (available <= 0)
        return STOCK_STATE_OUT_OF_STOCK;
    return available > sku->threshold ? STOCK_STATE_IN_STOCK : STOCK_STATE_LOW_STOCK;
}

static void apply(const struct inventory_record *record, size_t line, struct audited_sku *sku)
{
    struct stock_entry entries[2];
    size_t count = inventory_record_entries(record, line, entries);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].from_account == STOCK_ACCOUNT_AVAILABLE)
            sku->unreserved -= entries[i].quantity;
        if (entries[i].to_account == STOCK_ACCOUNT_AVAILABLE)
            sku->unreserved += entries[i].quantity;
    }
    if (record->type == RECORD_STOCK_POLICY) {
        sku->safety_stock = record->policy.safety_stock;
        sku->threshold = record->policy.low_stock_threshold;
    }
}

static struct error check_line(struct audit *audit, uint64_t position,
                               const struct inventory_record *record, size_t line)
{
    bool is_new;
    struct stock_crossing told = inventory_record_crossing(record, line);
    struct audited_sku *sku = find_sku(audit, inventory_record_sku(record, line), &is_new);
    enum stock_state before = state_of(sku);
    int64_t available_before = sku->unreserved - sku->safety_stock;
    apply(record, line, sku);
    enum stock_state after = state_of(sku);
    int64_t available = sku->unreserved - sku->safety_stock;
    bool counted = record->type == RECORD_STOCK_ADJUSTED && record->quantity < 0;
    bool shortage = counted && available_before >= 0 && available < 0;
    if (is_new)
        before = after;
    bool right = told.before == before && told.after == after && told.shortage == shortage;
    if (before != after || shortage)
        right = right && told.available == available && told.low_stock_threshold == sku->threshold;
    if (right)
        return error_none();
    CHECK(buffer_append_format(
        audit->violation,
        "record at %llu: %s from state %d to %d, available %lld, but it says %d to %d, %lld",
        (unsigned long long)position, sku->name, (int)before, (int)after, (long long)available,
        (int)told.before, (int)told.after, (long long)told.available));
    return error_make(ERROR_DAMAGED, "audit");
}

static struct error check_record(void *context, uint64_t position, struct text bytes)
{
    struct audit *audit = context;
    struct inventory_record record;
    CHECK(inventory_record_decode(bytes, &audit->lines, &record));
    for (size_t line = 0; line < inventory_record_line_count(&record); line++) {
        if (!inventory_record_touches(&record, line))
            continue;
        struct error error = check_line(audit, position, &record, line);
        if (error_is(error))
            return error;
    }
    return error_none();
}

bool log_audit(const struct embedded_repository_options *options, struct buffer *violation)
{
    static struct audit audit;
    struct record_log *log;
    const struct record_log_options log_options = {
        .directory = options->directory,
        .kind = "inventory",
        .record_version = inventory_record_version,
        .segment_bytes = options->segment_bytes,
        .batch_bytes_max = options->batch_bytes_max,
        .read_only = true,
    };
    audit = (struct audit){.violation = violation};
    struct error error =
        record_log_open(&log, options->file_system, &log_options, check_record, &audit);
    if (!error_is(error))
        record_log_close(log);
    else if (buffer_text(violation).size == 0)
        CHECK(buffer_append_format(violation, "the log cannot be read: %s", error.detail));
    return !error_is(error);
}
