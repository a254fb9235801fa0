/*
 * One client for each of the two services on a loop of the command's own; calls are made one after
 * the other, lists page by page. A reading makes a row for each SKU that either side knows; of two
 * readings the later one says for which rows the difference has stayed the same.
 */
#include "main/commands/reconcile_command.h"

#include "inventory/domain/limits.h"
#include "main/commands/print_json_string.h"
#include "main/commands/server_address.h"
#include "main/commands/tls_flags.h"
#include "platform/base/hash_map.h"
#include "platform/base/memory.h"
#include "platform/rpc/client.h"
#include "waybill/inventory/v1/inventory.pb-c.h"
#include "waybill/warehouse/v1/warehouse.pb-c.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define INVENTORY_PATH "/waybill.inventory.v1.InventoryService/"
#define WAREHOUSE_PATH "/waybill.warehouse.v1.WarehouseService/"

enum { exit_drift = 1, exit_usage = 2, exit_status_base = 64, token_bytes_max = 1024 };

static const int64_t call_timeout_us = INT64_C(30000000);

/* What both sides say of one SKU. */
struct row {
    char sku[inventory_sku_bytes_max + 1];
    bool is_booked; /* inventory knows it */
    int64_t books;  /* on_hand + sold */
    int64_t sold;   /* committed − returned */
    int64_t revision;
    int64_t shelves;
    int64_t in_transit;
    int64_t shipped;        /* for reservations */
    int64_t drift;          /* what the books have too little */
    int64_t shipped_unsold; /* shipped beyond what is sold; the sum above does not tell it */
    bool is_steady;         /* both were the same in every reading so far */
};

struct reading {
    struct row *rows;
    size_t count;
    size_t capacity;
    struct hash_map by_sku;
};

struct reconcile {
    const char *inventory_server;
    const char *warehouse_server;
    struct tls_flags tls;
    double wait_seconds;
    bool repair;
    bool json;
    uv_loop_t loop;
    struct rpc_client *inventory;
    struct rpc_client *warehouse;
    /* the call in hand */
    void (*take)(struct reconcile *reconcile, const ProtobufCMessage *response);
    struct reading *reading;
    char token[token_bytes_max];
    bool answered;
    int exit_code; /* not 0: a call failed, and it was told */
};

/* --- calls --- */

static void on_answer(void *context, const struct rpc_client_result *result)
{
    struct reconcile *reconcile = context;
    reconcile->answered = true;
    if (result->response != NULL) {
        reconcile->take(reconcile, result->response);
        return;
    }
    fprintf(stderr, "waybill reconcile: %s: %.*s\n", grpc_status_name(result->status.code),
            (int)result->status.message.size, result->status.message.data);
    if (result->status.details == NULL)
        server_address_advise(result->status.message);
    reconcile->exit_code = exit_status_base + (int)result->status.code;
}

/* False: it failed. */
static bool ask(struct reconcile *reconcile, struct rpc_client *client, const char *path,
                const ProtobufCMessage *request, const ProtobufCMessageDescriptor *descriptor,
                void (*take)(struct reconcile *, const ProtobufCMessage *))
{
    reconcile->take = take;
    reconcile->answered = false;
    rpc_client_call(client, path, request, descriptor, call_timeout_us, on_answer, reconcile);
    while (!reconcile->answered)
        uv_run(&reconcile->loop, UV_RUN_ONCE);
    return reconcile->exit_code == 0;
}

static void keep_token(struct reconcile *reconcile, const char *token)
{
    snprintf(reconcile->token, sizeof reconcile->token, "%s", token);
}

/* --- a reading --- */

struct lookup {
    const struct reading *reading;
    const char *sku;
};

static bool row_has_sku(void *context, uint64_t index)
{
    const struct lookup *lookup = context;
    return strcmp(lookup->reading->rows[index].sku, lookup->sku) == 0;
}

static struct row *find_row(const struct reading *reading, const char *sku)
{
    struct lookup lookup = {reading, sku};
    uint64_t index;
    return hash_map_find(&reading->by_sku, hash_text(0, text_of(sku)), row_has_sku, &lookup, &index)
               ? &reading->rows[index]
               : NULL;
}

/* The row of the SKU, made if need be. Without memory the command ends. */
static struct row *row_of(struct reading *reading, const char *sku)
{
    struct row *row = find_row(reading, sku);
    if (row != NULL)
        return row;
    if (reading->count == reading->capacity) {
        size_t capacity = reading->capacity == 0 ? 256 : 2 * reading->capacity;
        struct row *larger = memory_reallocate(reading->rows, capacity * sizeof *larger);
        if (larger == NULL) {
            fprintf(stderr, "waybill reconcile: no memory for so many SKUs\n");
            exit(exit_drift);
        }
        reading->rows = larger;
        reading->capacity = capacity;
    }
    if (!hash_map_reserve(&reading->by_sku, 1)) {
        fprintf(stderr, "waybill reconcile: no memory for so many SKUs\n");
        exit(exit_drift);
    }
    hash_map_add(&reading->by_sku, hash_text(0, text_of(sku)), reading->count);
    row = &reading->rows[reading->count++];
    *row = (struct row){0};
    snprintf(row->sku, sizeof row->sku, "%s", sku);
    return row;
}

static void take_shelves(struct reconcile *reconcile, const ProtobufCMessage *response)
{
    const Waybill__Warehouse__V1__ListWarehouseStockResponse *page = (const void *)response;
    for (size_t i = 0; i < page->n_stocks; i++) {
        struct row *row = row_of(reconcile->reading, page->stocks[i]->sku);
        row->shelves += page->stocks[i]->on_hand;
        row->shipped += page->stocks[i]->shipped_for_reservations;
    }
    keep_token(reconcile, page->next_page_token);
}

static void take_transfers(struct reconcile *reconcile, const ProtobufCMessage *response)
{
    const Waybill__Warehouse__V1__ListTransfersResponse *page = (const void *)response;
    for (size_t i = 0; i < page->n_transfers; i++) {
        const Waybill__Warehouse__V1__Transfer *transfer = page->transfers[i];
        for (size_t k = 0; k < transfer->n_lines; k++)
            row_of(reconcile->reading, transfer->lines[k]->sku)->in_transit +=
                transfer->lines[k]->quantity;
    }
    keep_token(reconcile, page->next_page_token);
}

static void take_books(struct reconcile *reconcile, const ProtobufCMessage *response)
{
    const Waybill__Inventory__V1__ListStockResponse *page = (const void *)response;
    for (size_t i = 0; i < page->n_stocks; i++) {
        const Waybill__Inventory__V1__Stock *stock = page->stocks[i];
        struct row *row = row_of(reconcile->reading, stock->sku);
        row->is_booked = true;
        row->sold = stock->committed - stock->returned;
        row->books = stock->on_hand + row->sold;
        row->revision = stock->revision;
    }
    keep_token(reconcile, page->next_page_token);
}

/* Each of the three lists to its end. False: a call failed. */
static bool read_shelves(struct reconcile *reconcile)
{
    Waybill__Warehouse__V1__ListWarehouseStockRequest request =
        WAYBILL__WAREHOUSE__V1__LIST_WAREHOUSE_STOCK_REQUEST__INIT;
    request.page_size = inventory_page_size_max;
    request.page_token = reconcile->token;
    do {
        if (!ask(reconcile, reconcile->warehouse, WAREHOUSE_PATH "ListWarehouseStock",
                 &request.base, &waybill__warehouse__v1__list_warehouse_stock_response__descriptor,
                 take_shelves))
            return false;
    } while (reconcile->token[0] != '\0');
    return true;
}

static bool read_transfers(struct reconcile *reconcile)
{
    Waybill__Warehouse__V1__ListTransfersRequest request =
        WAYBILL__WAREHOUSE__V1__LIST_TRANSFERS_REQUEST__INIT;
    request.page_size = inventory_page_size_max;
    request.page_token = reconcile->token;
    request.state = WAYBILL__WAREHOUSE__V1__TRANSFER_STATE__TRANSFER_STATE_IN_TRANSIT;
    do {
        if (!ask(reconcile, reconcile->warehouse, WAREHOUSE_PATH "ListTransfers", &request.base,
                 &waybill__warehouse__v1__list_transfers_response__descriptor, take_transfers))
            return false;
    } while (reconcile->token[0] != '\0');
    return true;
}

static bool read_books(struct reconcile *reconcile)
{
    Waybill__Inventory__V1__ListStockRequest request =
        WAYBILL__INVENTORY__V1__LIST_STOCK_REQUEST__INIT;
    request.page_size = inventory_page_size_max;
    request.page_token = reconcile->token;
    do {
        if (!ask(reconcile, reconcile->inventory, INVENTORY_PATH "ListStock", &request.base,
                 &waybill__inventory__v1__list_stock_response__descriptor, take_books))
            return false;
    } while (reconcile->token[0] != '\0');
    return true;
}

static void release(struct reading *reading)
{
    memory_release(reading->rows);
    hash_map_deinit(&reading->by_sku);
    *reading = (struct reading){0};
}

/* Reads both sides; `before`, if there was a reading, is released. False: a call failed. */
static bool read_both(struct reconcile *reconcile, struct reading *reading, bool is_first)
{
    struct reading before = *reading;
    *reading = (struct reading){0};
    hash_map_init(&reading->by_sku);
    reconcile->reading = reading;
    reconcile->token[0] = '\0';
    bool read = read_shelves(reconcile) && read_transfers(reconcile) && read_books(reconcile);
    for (size_t i = 0; i < reading->count; i++) {
        struct row *row = &reading->rows[i];
        row->drift = row->shelves + row->in_transit + row->shipped - row->books;
        if (row->is_booked && row->shipped > row->sold)
            row->shipped_unsold = row->shipped - row->sold;
        const struct row *earlier = is_first ? NULL : find_row(&before, row->sku);
        row->is_steady =
            is_first || (earlier != NULL && earlier->is_steady && earlier->drift == row->drift &&
                         earlier->shipped_unsold == row->shipped_unsold);
    }
    if (!is_first)
        release(&before);
    return read;
}

/* Of a steady one. */
static bool differs(const struct row *row)
{
    return row->is_steady && (row->drift != 0 || row->shipped_unsold != 0);
}

static size_t count_differing(const struct reading *reading)
{
    size_t count = 0;
    for (size_t i = 0; i < reading->count; i++)
        count += differs(&reading->rows[i]);
    return count;
}

/* --- report and repair --- */

static void print_row(const struct reconcile *reconcile, const struct row *row, const char *what)
{
    if (reconcile->json) {
        printf("{\"sku\":");
        print_json_string(row->sku);
        printf(",\"books\":%" PRId64 ",\"shelves\":%" PRId64 ",\"inTransit\":%" PRId64
               ",\"shipped\":%" PRId64 ",\"drift\":%" PRId64 ",\"shippedUnsold\":%" PRId64
               ",\"result\":\"%s\"}\n",
               row->books, row->shelves, row->in_transit, row->shipped, row->drift,
               row->shipped_unsold, what);
    } else {
        printf("%s: books %" PRId64 ", shelves %" PRId64 ", in transit %" PRId64
               ", shipped %" PRId64 ": drift %" PRId64 ", %s\n",
               row->sku, row->books, row->shelves, row->in_transit, row->shipped, row->drift, what);
    }
    if (!reconcile->json && row->shipped_unsold != 0)
        printf("  %" PRId64 " shipped but not sold: a Commit is missing, or goods that left were "
               "returned to\n  inventory as if they never had; no correction repairs it\n",
               row->shipped_unsold);
}

static void take_nothing(struct reconcile *reconcile, const ProtobufCMessage *response)
{
    (void)reconcile;
    (void)response;
}

/* False: the call failed, and why was told. */
static bool repair(struct reconcile *reconcile, const struct row *row)
{
    char id[inventory_id_bytes_max + 1];
    char note[inventory_note_bytes_max + 1];
    Waybill__Inventory__V1__AdjustStockRequest request =
        WAYBILL__INVENTORY__V1__ADJUST_STOCK_REQUEST__INIT;
    snprintf(id, sizeof id, "reconcile:%016" PRIx64 ":%" PRId64, hash_text(0, text_of(row->sku)),
             row->revision);
    snprintf(note, sizeof note, "books %" PRId64 ", shelves %" PRId64 ", in transit %" PRId64,
             row->books, row->shelves, row->in_transit);
    request.adjustment_id = id;
    request.sku = (char *)(uintptr_t)row->sku;
    request.delta = row->drift;
    request.reason = WAYBILL__INVENTORY__V1__ADJUSTMENT_REASON__ADJUSTMENT_REASON_CORRECTION;
    request.note = note;
    request.expected_revision = row->revision;
    return ask(reconcile, reconcile->inventory, INVENTORY_PATH "AdjustStock", &request.base,
               &waybill__inventory__v1__adjust_stock_response__descriptor, take_nothing);
}

/* Tells each drift, and repairs it if told to; gives how much is left. */
static size_t settle(struct reconcile *reconcile, const struct reading *reading)
{
    size_t left = 0;
    for (size_t i = 0; i < reading->count; i++) {
        const struct row *row = &reading->rows[i];
        if (!differs(row))
            continue;
        bool repaired =
            reconcile->repair && row->drift != 0 && row->is_booked && repair(reconcile, row);
        print_row(reconcile, row,
                  repaired          ? "repaired"
                  : !row->is_booked ? "inventory does not know it"
                                    : "left as it is");
        left += !repaired || row->shipped_unsold != 0;
    }
    if (reconcile->json)
        printf("{\"compared\":%zu,\"differing\":%zu,\"left\":%zu}\n", reading->count,
               count_differing(reading), left);
    else
        printf("%zu SKU%s compared, %zu differ%s\n", reading->count, reading->count == 1 ? "" : "s",
               count_differing(reading), count_differing(reading) == 1 ? "s" : "");
    return left;
}

/* --- the command --- */

static bool connect_to(struct reconcile *reconcile, const char *server, struct rpc_client **client)
{
    struct rpc_client_options options = rpc_client_options_default();
    options.server = server;
    options.tls = tls_flags_settings(&reconcile->tls);
    struct error error = rpc_client_create(client, &reconcile->loop, &options);
    if (error_is(error))
        fprintf(stderr, "waybill reconcile: %s\n", error.detail);
    return !error_is(error);
}

static int run(struct reconcile *reconcile)
{
    struct reading reading = {0};
    double waited = 0;
    bool read = read_both(reconcile, &reading, true);
    size_t drift = read ? count_differing(&reading) : 0;
    if (!reconcile->json && drift > 0 && reconcile->wait_seconds > 0)
        fprintf(stderr,
                "waybill reconcile: %zu SKU%s; looking again for %g s, movements may be on "
                "their way\n",
                drift, drift == 1 ? " differs" : "s differ", reconcile->wait_seconds);
    while (read && count_differing(&reading) > 0 && waited < reconcile->wait_seconds) {
        uv_sleep(500);
        waited += 0.5;
        read = read_both(reconcile, &reading, false);
    }
    size_t left = read ? settle(reconcile, &reading) : 0;
    release(&reading);
    if (reconcile->exit_code != 0)
        return reconcile->exit_code;
    return left > 0 ? exit_drift : 0;
}

static int connect_and_run(struct reconcile *reconcile)
{
    int exit_code = exit_usage;
    if (uv_loop_init(&reconcile->loop) != 0) {
        fprintf(stderr, "waybill reconcile: cannot make an event loop\n");
        return exit_drift;
    }
    if (connect_to(reconcile, reconcile->inventory_server, &reconcile->inventory) &&
        connect_to(reconcile, reconcile->warehouse_server, &reconcile->warehouse))
        exit_code = run(reconcile);
    if (reconcile->inventory != NULL)
        rpc_client_close(reconcile->inventory, NULL, NULL);
    if (reconcile->warehouse != NULL)
        rpc_client_close(reconcile->warehouse, NULL, NULL);
    uv_run(&reconcile->loop, UV_RUN_DEFAULT);
    uv_loop_close(&reconcile->loop);
    return exit_code;
}

static void print_help(FILE *out)
{
    fprintf(out,
            "usage: waybill reconcile [OPTION…]\n\n"
            "Compares inventory's books with warehouse's shelves, SKU by SKU:\n"
            "  on_hand + committed - returned - shipped = shelves + in transit\n"
            "and that no more was shipped than committed - returned.\n\n"
            "  --repair                post each drift to inventory as a correction\n"
            "  --server HOST:PORT      of both; $WAYBILL_SERVER or 127.0.0.1:7400\n"
            "  --inventory HOST:PORT, --warehouse HOST:PORT\n"
            "                          where they are served apart\n"
            "  --wait SECONDS          a difference is drift when it stays the same for so long "
            "(10)\n"
            "%s"
            "  --json                  one object a difference, each on a line, then one with "
            "counts\n\n"
            "Exit code: 0 no drift, or all repaired; 1 drift; 64 + the gRPC status code if a call\n"
            "failed; 2 for wrong arguments.\n\n"
            "  waybill reconcile\n"
            "  waybill reconcile --repair --json\n",
            tls_flags_help);
}

/* False: told what is wrong. */
static bool read_option(struct reconcile *reconcile, int argc, char **argv, int *at)
{
    const char *name = argv[*at];
    char *end;
    if (strcmp(name, "--repair") == 0 || strcmp(name, "--json") == 0) {
        *(name[2] == 'r' ? &reconcile->repair : &reconcile->json) = true;
        return true;
    }
    enum tls_flag tls = tls_flags_read(&reconcile->tls, "reconcile", argc, argv, at);
    if (tls != TLS_FLAG_OTHER)
        return tls == TLS_FLAG_TAKEN;
    bool is_both = strcmp(name, "--server") == 0;
    bool is_inventory = is_both || strcmp(name, "--inventory") == 0;
    bool is_warehouse = is_both || strcmp(name, "--warehouse") == 0;
    bool is_wait = strcmp(name, "--wait") == 0;
    if ((!is_inventory && !is_warehouse && !is_wait) || *at + 1 >= argc) {
        fprintf(stderr, "waybill reconcile: %s %s; `waybill reconcile --help` explains\n", name,
                *at + 1 >= argc && (is_inventory || is_warehouse || is_wait) ? "needs a value"
                                                                             : "is no option");
        return false;
    }
    const char *value = argv[++*at];
    if (is_inventory)
        reconcile->inventory_server = value;
    if (is_warehouse)
        reconcile->warehouse_server = value;
    if (!is_wait)
        return true;
    reconcile->wait_seconds = strtod(value, &end);
    if (*value != '\0' && *end == '\0' && reconcile->wait_seconds >= 0 &&
        reconcile->wait_seconds <= 86400)
        return true;
    fprintf(stderr, "waybill reconcile: --wait takes seconds, 0 to 86400\n");
    return false;
}

int reconcile_command(int argc, char **argv)
{
    struct reconcile reconcile = {
        .inventory_server = server_address_default(),
        .warehouse_server = server_address_default(),
        .wait_seconds = 10,
    };
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(stdout);
            return 0;
        }
        if (!read_option(&reconcile, argc, argv, &i))
            return exit_usage;
    }
    if (!tls_flags_fit(&reconcile.tls, "reconcile") ||
        !server_address_check(
            "reconcile",
            reconcile.inventory_server == reconcile.warehouse_server ? "--server" : "--inventory",
            reconcile.inventory_server) ||
        !server_address_check("reconcile", "--warehouse", reconcile.warehouse_server))
        return exit_usage;
    return connect_and_run(&reconcile);
}
