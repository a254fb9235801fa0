/*
 * Reads every product's ledger page by page and then its stock. If the entries do not add up to the
 * stock's totals, something changed in between, and the product is read anew after a pause; if they
 * still do not after many times, the ledger is not all there and the replay may not trust it.
 */
#include "main/replay/survey/replay_survey.h"

#include "main/replay/pump/answer_details.h"
#include "platform/base/buffer.h"
#include "platform/base/memory.h"
#include "waybill/inventory/v1/inventory.pb-c.h"

enum {
    page_entries = 1000,
    tries_max = 50,
    page_token_bytes_max = 4096,
};
static const int64_t retry_wait_us = INT64_C(50) * 1000;

/* How far the reading of one product is. */
struct product_reading {
    struct buffer page_token; /* of the next page, with its NUL; empty = the first */
    bool entries_are_read;    /* the stock is next */
    uint32_t tries;
};

struct survey_run {
    struct replay *replay;
    struct ledger_survey *survey;
    struct product_reading *products;
};

static size_t product_count(void *context)
{
    const struct survey_run *run = context;
    return run->replay->data_set->product_count;
}

static bool is_due(void *context, size_t product)
{
    (void)context;
    (void)product;
    return true;
}

static int64_t wait_us(void *context, size_t product)
{
    const struct product_reading *reading = &((struct survey_run *)context)->products[product];
    bool is_start = !reading->entries_are_read && reading->page_token.size == 0;
    return is_start && reading->tries > 0 ? retry_wait_us : 0;
}

static char *sku_of(const struct survey_run *run, size_t product)
{
    return (char *)run->replay->data_set->products[product].sku.data;
}

static bool prepare_stock(const struct survey_run *run, size_t product, struct arena *arena,
                          struct pump_call *call)
{
    Waybill__Inventory__V1__GetStockRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__inventory__v1__get_stock_request__init(request);
    request->sku = sku_of(run, product);
    call->path = "/waybill.inventory.v1.InventoryService/GetStock";
    call->request = &request->base;
    call->response = &waybill__inventory__v1__get_stock_response__descriptor;
    return true;
}

static bool prepare(void *context, size_t product, struct arena *arena, struct pump_call *call)
{
    const struct survey_run *run = context;
    const struct product_reading *reading = &run->products[product];
    if (reading->entries_are_read)
        return prepare_stock(run, product, arena, call);
    Waybill__Inventory__V1__ListStockEntriesRequest *request =
        arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__inventory__v1__list_stock_entries_request__init(request);
    request->sku = sku_of(run, product);
    request->page_size = page_entries;
    if (reading->page_token.size > 0)
        request->page_token = reading->page_token.data;
    call->path = "/waybill.inventory.v1.InventoryService/ListStockEntries";
    call->request = &request->base;
    call->response = &waybill__inventory__v1__list_stock_entries_response__descriptor;
    return true;
}

/* Remembers the token of the next page; an empty one means that the stock is next. */
static struct error go_to_page(struct product_reading *reading, const char *token)
{
    buffer_clear(&reading->page_token);
    reading->entries_are_read = token[0] == '\0';
    if (!reading->entries_are_read && !(buffer_append_string(&reading->page_token, token) &&
                                        buffer_append(&reading->page_token, "", 1)))
        return error_make(ERROR_OUT_OF_MEMORY, "page token");
    return error_none();
}

static struct error take_page(const struct survey_run *run, size_t product,
                              const Waybill__Inventory__V1__ListStockEntriesResponse *page)
{
    for (size_t i = 0; i < page->n_entries; i++) {
        struct error error = ledger_survey_add(run->survey, (uint32_t)product, page->entries[i]);
        if (error_is(error))
            return error;
    }
    return go_to_page(&run->products[product], page->next_page_token);
}

static struct error take_stock(const struct survey_run *run, size_t product,
                               const Waybill__Inventory__V1__Stock *stock, bool *again)
{
    struct product_reading *reading = &run->products[product];
    *again = stock == NULL || !ledger_survey_is_complete(run->survey, (uint32_t)product, stock);
    if (!*again)
        return error_none();
    if (++reading->tries == tries_max) {
        return error_make(ERROR_INTERNAL,
                          "%s: the ledger's entries do not add up to the stock's totals, or others "
                          "change it all the time; what this replay has done cannot be told",
                          sku_of(run, product));
    }
    reading->entries_are_read = false;
    ledger_survey_restart(run->survey, (uint32_t)product);
    return error_none();
}

static struct error answered(void *context, size_t product, const struct rpc_client_result *result,
                             bool *again)
{
    const struct survey_run *run = context;
    *again = false;
    if (answer_has_reason(&result->status, "SKU_NOT_FOUND"))
        return error_none(); /* never received: nothing to tell */
    if (result->status.code != GRPC_STATUS_OK)
        return error_prefix(answer_error(&result->status), "%s: ledger", sku_of(run, product));
    if (run->products[product].entries_are_read) {
        const Waybill__Inventory__V1__GetStockResponse *response =
            (const Waybill__Inventory__V1__GetStockResponse *)result->response;
        return take_stock(run, product, response->stock, again);
    }
    *again = true;
    return take_page(run, product,
                     (const Waybill__Inventory__V1__ListStockEntriesResponse *)result->response);
}

static const struct pump_work survey_work = {
    .item_count = product_count,
    .is_due = is_due,
    .wait_us = wait_us,
    .prepare = prepare,
    .answered = answered,
};

/* --- the whole --- */

/* The replay takes over what the ledgers told. */
static void take_over(struct replay *replay, const struct ledger_survey *survey)
{
    const struct survey_totals *totals = &replay->result->totals;
    for (size_t i = 0; i < hold_state_count; i++)
        replay->state_counts[i] = totals->holds[i].holds;
    for (uint32_t i = 0; i < replay->data_set->product_count; i++)
        replay->received[i] = ledger_survey_is_received(survey, i);
    for (uint32_t i = 0; i < replay->plan->hold_count; i++)
        replay->look_up_us[i] = 0;
    replay->received_count = totals->products_received;
}

static struct error read_ledgers(struct survey_run *run)
{
    struct replay *replay = run->replay;
    struct replay_result *result = replay->result;
    struct error error = call_pump_run(replay->pump, &survey_work, run, NULL);
    result->differences = (struct difference_list){0};
    if (!error_is(error))
        error =
            ledger_survey_fold(run->survey, replay->holds, &result->totals, &result->differences);
    if (error_is(error))
        return error;
    take_over(replay, run->survey);
    ledger_survey_destroy(replay->survey);
    replay->survey = run->survey;
    run->survey = NULL;
    return error;
}

struct error replay_survey_holds(struct replay *replay)
{
    uint32_t count = replay->data_set->product_count;
    struct survey_run run = {.replay = replay};
    struct error error = ledger_survey_create(&run.survey, replay->plan);
    if (error_is(error))
        return error;
    run.products = memory_allocate_zero(count, sizeof *run.products);
    if (run.products == NULL) {
        error = error_make(ERROR_OUT_OF_MEMORY, "survey of the ledger");
        goto cleanup;
    }
    for (uint32_t i = 0; i < count; i++)
        buffer_init(&run.products[i].page_token, page_token_bytes_max);
    error = read_ledgers(&run);
    for (uint32_t i = 0; i < count; i++)
        buffer_deinit(&run.products[i].page_token);
cleanup:
    memory_release(run.products);
    ledger_survey_destroy(run.survey);
    return error;
}
