/*
 * One pass over the log with six sums a SKU, then a comparison. It fails, with the error in the
 * command, when the log cannot be read or is damaged; a difference is a result.
 */
#include "inventory/infrastructure/embedded/ledger_verification.h"

#include "inventory/infrastructure/embedded/engine.h"
#include "platform/base/memory.h"

#include <stdlib.h>

struct ledger_pass {
    struct ledger_verification *verification;
    struct hash_map rows; /* SKU → index in balances */
    int64_t (*sums)[stock_account_count];
    struct inventory_record_lines lines;
};

struct ledger_verification *ledger_verification_create(struct verify_ledger_command *command,
                                                       struct record_log *log,
                                                       const struct engine_state *state)
{
    struct ledger_verification *verification = memory_allocate(
        sizeof *verification + state->skus.count * sizeof verification->balances[0]);
    if (verification == NULL)
        return NULL;
    *verification = (struct ledger_verification){
        .command = command,
        .log = log,
        .end = record_log_committed_end(log),
        .hash_seed = state->hash_seed,
    };
    size_t cursor = 0;
    uint64_t value;
    while (hash_map_next(&state->skus, &cursor, &value)) {
        const struct sku *sku = (const struct sku *)(uintptr_t)value;
        verification->balances[verification->balance_count++] = (struct ledger_balance){
            .sku = sku_name(sku),
            .stock = sku->stock,
        };
    }
    return verification;
}

struct row_search {
    const struct ledger_pass *pass;
    struct text sku;
};

static bool row_has_sku(void *context, uint64_t row)
{
    const struct row_search *search = context;
    return text_equal(search->pass->verification->balances[row].sku, search->sku);
}

static bool find_row(const struct ledger_pass *pass, struct text sku, uint64_t *row)
{
    struct row_search search = {.pass = pass, .sku = sku};
    return hash_map_find(&pass->rows, hash_text(pass->verification->hash_seed, sku), row_has_sku,
                         &search, row);
}

static struct error add_record(void *context, uint64_t position, struct text bytes)
{
    struct ledger_pass *pass = context;
    struct verify_ledger_command *command = pass->verification->command;
    struct inventory_record record;
    if (!inventory_record_decode(bytes, &pass->lines, &record))
        return error_make(ERROR_DAMAGED, "record at position %llu is no inventory record",
                          (unsigned long long)position);
    if (record.type == RECORD_RESERVATION && record.change == CHANGE_RESERVED)
        command->reservations++;
    for (size_t line = 0; line < inventory_record_line_count(&record); line++) {
        struct stock_entry entries[2];
        uint64_t row;
        size_t count = inventory_record_entries(&record, line, entries);
        if (!find_row(pass, inventory_record_sku(&record, line), &row))
            return error_make(ERROR_DAMAGED, "record at position %llu names a SKU without stock",
                              (unsigned long long)position);
        for (size_t i = 0; i < count; i++) {
            pass->sums[row][entries[i].from_account] -= entries[i].quantity;
            pass->sums[row][entries[i].to_account] += entries[i].quantity;
        }
        command->entries += count;
    }
    return error_none();
}

/* What each account must hold by the stock's own totals. */
static int64_t balance_of(const struct stock *stock, enum stock_account account)
{
    switch (account) {
    case STOCK_ACCOUNT_SUPPLY:
        return -stock->received;
    case STOCK_ACCOUNT_AVAILABLE:
        return stock_unreserved(stock);
    case STOCK_ACCOUNT_RESERVED:
        return stock->reserved;
    case STOCK_ACCOUNT_COMMITTED:
        return stock->committed;
    case STOCK_ACCOUNT_RETURNED:
        return -stock->returned;
    case STOCK_ACCOUNT_ADJUSTMENT:
        return -stock->adjusted;
    }
    return 0;
}

static int compare_mismatches(const void *a, const void *b)
{
    const struct ledger_mismatch *left = a;
    const struct ledger_mismatch *right = b;
    int order = text_compare(left->sku, right->sku);
    return order != 0 ? order : (int)left->account - (int)right->account;
}

static struct error compare_balances(struct ledger_pass *pass)
{
    struct ledger_verification *verification = pass->verification;
    struct verify_ledger_command *command = verification->command;
    for (size_t row = 0; row < verification->balance_count; row++) {
        for (int account = 0; account < stock_account_count; account++) {
            int64_t ledger = pass->sums[row][account];
            int64_t balance =
                balance_of(&verification->balances[row].stock, (enum stock_account)account);
            if (ledger == balance || command->mismatch_count == ledger_mismatches_max)
                continue;
            if (command->mismatches == NULL)
                command->mismatches = arena_allocate(
                    command->base.arena, ledger_mismatches_max * sizeof *command->mismatches);
            if (command->mismatches == NULL)
                return error_make(ERROR_OUT_OF_MEMORY, "reporting ledger mismatches");
            command->mismatches[command->mismatch_count++] = (struct ledger_mismatch){
                .sku = verification->balances[row].sku,
                .account = (enum stock_account)account,
                .ledger_quantity = ledger,
                .balance_quantity = balance,
            };
        }
    }
    if (command->mismatch_count > 1)
        qsort(command->mismatches, command->mismatch_count, sizeof *command->mismatches,
              compare_mismatches);
    return error_none();
}

static struct error verify(struct ledger_pass *pass)
{
    struct ledger_verification *verification = pass->verification;
    struct verify_ledger_command *command = verification->command;
    pass->sums = memory_allocate_zero(verification->balance_count, sizeof *pass->sums);
    if (pass->sums == NULL || !hash_map_reserve(&pass->rows, verification->balance_count))
        return error_make(ERROR_OUT_OF_MEMORY, "verifying the ledger");
    for (size_t row = 0; row < verification->balance_count; row++)
        hash_map_add(&pass->rows,
                     hash_text(verification->hash_seed, verification->balances[row].sku), row);
    struct error error = record_log_scan(verification->log, verification->end, add_record, pass,
                                         command->chain_head);
    if (error_is(error))
        return error;
    command->skus = verification->balance_count;
    return compare_balances(pass);
}

void ledger_verification_run(struct ledger_verification *verification)
{
    struct verify_ledger_command *command = verification->command;
    struct error error = error_make(ERROR_OUT_OF_MEMORY, "verifying the ledger");
    struct ledger_pass *pass = memory_allocate_zero(1, sizeof *pass);
    command->entries = 0;
    command->skus = 0;
    command->reservations = 0;
    command->mismatches = NULL;
    command->mismatch_count = 0;
    if (pass != NULL) {
        pass->verification = verification;
        hash_map_init(&pass->rows);
        error = verify(pass);
        memory_release(pass->sums);
        hash_map_deinit(&pass->rows);
        memory_release(pass);
    }
    if (error_is(error))
        engine_fail(&command->base, error);
    memory_release(verification);
    executor_post(command->base.executor, &command->base.task);
}
