/*
 * The load generator: one thread, C connections with M calls in flight each, as fast as the server
 * answers. Bodies are framed beforehand, one a slot; for each call the digits of the id (and of the
 * SKU) are overwritten in place, so every call is new. It counts grpc-status, and afterwards looks
 * at the effect: what the stock says must be what the answers said, SKU by SKU.
 *
 *   load waybill HOST:PORT [options]     Reserve, or GetStock with --get
 *   load peer    HOST:PORT [options]     Reserve of the rival (its effect is checked in its Redis)
 *
 * With --allocate it is Allocate of one piece, by either; the SKUs must lie in warehouses, and the
 * effect is checked in the database.
 *
 * Ends with 1 if any effect differs or the connection is lost.
 */
#include "tests/load/histogram.h"
#include "tests/load/load_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    skus = 10000,
    hot_sku = 0,
    body_bytes_max = 160,
    answer_bytes_max = 4096,
};

/* What is being done to the server; the phases follow one another. */
enum phase { PHASE_RECEIVE, PHASE_BEFORE, PHASE_WARM_UP, PHASE_LOAD, PHASE_AFTER, PHASE_VERIFY };

/* One call in flight. */
struct slot {
    struct load_call call; /* first */
    char body[body_bytes_max];
    unsigned sku;
    unsigned char answer[answer_bytes_max];
};

struct load {
    bool is_peer;
    bool is_get;
    bool is_allocate;
    unsigned connections;
    unsigned streams;
    double seconds;
    double warm_up_seconds;
    unsigned hot_every; /* each so-manieth call goes to the hot SKU; 0 = none */
    bool json;
    const char *address;
    struct load_client client;
    struct slot *slots;
    size_t slot_count;
    enum phase phase;
    uint64_t next; /* of the phase's calls, or the next id */
    uint64_t last; /* where the phase ends; UINT64_MAX = by time */
    bool stopping; /* no further calls in this phase */
    char run[16];  /* makes ids unique among runs */
    uint64_t seed;
    uint64_t by_status[17];
    uint64_t other_status;
    uint64_t ok_by_sku[skus];
    int64_t reserved_before[skus];
    uint64_t differences;
    uint64_t mismatches;
    uint64_t entries;
    uint64_t measured_ok;
    double measured_seconds;
    struct histogram latencies;
};

static struct load load = {
    .connections = 8,
    .streams = 16,
    .seconds = 5,
    .warm_up_seconds = 1,
    .hot_every = 10,
};

/* --- bodies --- */

static void put_digits(char *end, uint64_t number, unsigned count)
{
    while (count-- > 0) {
        *--end = (char)('0' + number % 10);
        number /= 10;
    }
}

static size_t put_text(char *at, unsigned field, const char *text)
{
    size_t size = strlen(text);
    at[0] = (char)(field << 3 | 2);
    at[1] = (char)size;
    memcpy(at + 2, text, size);
    return 2 + size;
}

static size_t put_bytes(char *at, const char *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return size;
}

/* What an allocation says besides: where to, 50 degrees north; ours by the rival's own strategy. */
static const char waybill_place[] = "\x22\x08\x52\x06\x08\x80\xca\xb5\xee\x01" /* destination */
                                    "\x30\x01";                                /* PRIORITY */
static const char peer_place[] = "\x19\0\0\0\0\0\0\x49\x40";                   /* lat */

static void frame(struct slot *slot, size_t size)
{
    load_frame(slot->body, size);
    slot->call.body = slot->body;
    slot->call.body_size = load_frame_size + size;
}

/* SKU-%012u, as the rival names them; the digits end at the same place in every body of a kind. */
static void sku_name(unsigned sku, char out[17])
{
    snprintf(out, 17, "SKU-%012u", sku);
}

static unsigned next_random(void)
{
    load.seed ^= load.seed << 13;
    load.seed ^= load.seed >> 7;
    load.seed ^= load.seed << 17;
    return (unsigned)(load.seed >> 33);
}

static unsigned choose_sku(uint64_t number)
{
    if (load.hot_every != 0 && number % load.hot_every == 0)
        return hot_sku;
    return next_random() % skus;
}

/* Writes the whole body once; later calls of the same phase only change digits. */
static void write_body(struct slot *slot, uint64_t number)
{
    char name[17];
    char id[40];
    char line[32];
    char *at = slot->body + 5;
    sku_name(slot->sku, name);
    snprintf(id, sizeof id, "%s-%012llu", load.run, (unsigned long long)number);
    if (load.phase == PHASE_VERIFY) {
        frame(slot, 0);
    } else if (load.phase == PHASE_RECEIVE) {
        snprintf(id, sizeof id, "load-%u", slot->sku);
        at += put_text(at, 1, id);
        at += put_text(at, 2, name);
        memcpy(at, "\x18\x80\x94\xeb\xdc\x03", 6); /* quantity 10^9 */
        frame(slot, (size_t)(at + 6 - slot->body - 5));
    } else if (load.phase == PHASE_BEFORE || load.phase == PHASE_AFTER || load.is_get) {
        at += put_text(at, 1, name);
        frame(slot, (size_t)(at - slot->body - 5));
    } else if (load.is_peer) {
        at += put_text(at, 1, name);
        memcpy(at, "\x10\x01", 2); /* quantity 1 */
        at += 2;
        at += load.is_allocate ? put_bytes(at, peer_place, sizeof peer_place - 1)
                               : put_text(at, 3, id);
        frame(slot, (size_t)(at - slot->body - 5));
    } else {
        size_t size = put_text(line, 1, name);
        memcpy(line + size, "\x10\x01", 2);
        at += put_text(at, 1, id);
        *at++ = (char)((load.is_allocate ? 5 : 4) << 3 | 2);
        *at++ = (char)(size + 2);
        at += put_bytes(at, line, size + 2);
        if (load.is_allocate)
            at += put_bytes(at, waybill_place, sizeof waybill_place - 1);
        frame(slot, (size_t)(at - slot->body - 5));
    }
}

/* Overwrites the digits of SKU and id where write_body has put them. */
static void change_digits(struct slot *slot, uint64_t number)
{
    size_t run_size = strlen(load.run);
    char *body = slot->body + 5;
    if (load.is_get) {
        put_digits(body + 2 + 16, slot->sku, 12);
    } else if (load.is_peer) {
        put_digits(body + 2 + 16, slot->sku, 12);
        if (!load.is_allocate)
            put_digits(body + 18 + 2 + 2 + run_size + 13, number, 12);
    } else {
        put_digits(body + 2 + run_size + 13, number, 12);
        put_digits(body + 2 + run_size + 13 + 2 + 2 + 16, slot->sku, 12);
    }
}

/* --- calls --- */

static bool is_fresh(const struct slot *slot)
{
    return slot->call.body_size == 0;
}

/* Starts the phase's next call on the slot, if there is one. */
static void start_next(struct slot *slot)
{
    if (load.stopping || load.next == load.last)
        return;
    uint64_t number = load.next++;
    bool measured = load.phase == PHASE_WARM_UP || load.phase == PHASE_LOAD;
    slot->sku = measured ? choose_sku(number) : (unsigned)(number % skus);
    if (measured && !is_fresh(slot))
        change_digits(slot, number);
    else
        write_body(slot, number);
    slot->call.answer = measured ? NULL : slot->answer;
    slot->call.answer_room = answer_bytes_max;
    load_call_begin(&slot->call);
}

/* A varint field of a message; 0 if it is not there. Fields that are messages are passed over. */
static int64_t read_field(const unsigned char *at, const unsigned char *end, unsigned wanted,
                          const unsigned char **inside, size_t *inside_size)
{
    while (at < end) {
        uint64_t values[2] = {0, 0};
        for (int i = 0; i < 2; i++) {
            for (unsigned shift = 0; at < end; shift += 7) {
                unsigned char byte = *at++;
                values[i] |= (uint64_t)(byte & 0x7F) << shift;
                if (byte < 0x80)
                    break;
            }
        }
        bool is_bytes = (values[0] & 7) == 2;
        if (values[0] >> 3 == wanted) {
            if (is_bytes && inside != NULL) {
                *inside = at;
                *inside_size = (size_t)values[1];
            }
            return (int64_t)values[1];
        }
        if (is_bytes)
            at += values[1];
    }
    return 0;
}

/* Stock.reserved of a GetStockResponse. */
static int64_t reserved_of(const struct slot *slot)
{
    const unsigned char *stock = slot->answer + 5;
    size_t size = 0;
    read_field(slot->answer + 5, slot->answer + slot->call.answer_size, 1, &stock, &size);
    return read_field(stock, stock + size, 3, NULL, NULL);
}

static void check_effect(const struct slot *slot)
{
    int64_t grown = reserved_of(slot) - load.reserved_before[slot->sku];
    if (grown == (int64_t)load.ok_by_sku[slot->sku])
        return;
    if (load.differences++ < 5)
        fprintf(stderr, "load: SKU %u: %lld more are reserved, %llu were answered\n", slot->sku,
                (long long)grown, (unsigned long long)load.ok_by_sku[slot->sku]);
}

static void finished(struct load_call *call)
{
    struct slot *slot = (struct slot *)call; /* its first member */
    switch (load.phase) {
    case PHASE_WARM_UP:
    case PHASE_LOAD:
        if (slot->call.status == 0)
            load.ok_by_sku[slot->sku]++;
        if (load.phase == PHASE_LOAD) {
            histogram_add(&load.latencies, load_now_ns() - slot->call.began_ns);
            if (slot->call.status >= 0 && slot->call.status <= 16)
                load.by_status[slot->call.status]++;
            else
                load.other_status++;
        }
        break;
    case PHASE_RECEIVE:
        if (slot->call.status != 0)
            load_give_up("receive", "ReceiveStock was refused");
        break;
    case PHASE_BEFORE:
        load.reserved_before[slot->sku] = reserved_of(slot);
        break;
    case PHASE_AFTER:
        check_effect(slot);
        break;
    case PHASE_VERIFY:
        load.entries = (uint64_t)read_field(slot->answer + 5, slot->answer + slot->call.answer_size,
                                            1, NULL, NULL);
        load.mismatches =
            slot->call.status != 0 ||
            read_field(slot->answer + 5, slot->answer + slot->call.answer_size, 4, NULL, NULL) != 0;
        break;
    }
    start_next(slot);
}

/* --- phases --- */

/* Runs until the phase's calls are done, or its time is over and what is in flight has come back.
 */
static void run_phase(enum phase phase, const char *path, uint64_t calls, double seconds)
{
    uint64_t until_ns = load_now_ns() + (uint64_t)(seconds * 1e9);
    load.phase = phase;
    load.client.path = path;
    load.stopping = false;
    load.last = calls == 0 ? UINT64_MAX : load.next + calls;
    for (size_t i = 0; i < load.slot_count; i++) {
        load.slots[i].call.body_size = 0;
        start_next(&load.slots[i]);
    }
    load_client_flush(&load.client);
    while (load.client.in_flight > 0) {
        load_client_turn(&load.client);
        if (calls == 0 && !load.stopping && load_now_ns() >= until_ns)
            load.stopping = true;
    }
}

static void measure(const char *path)
{
    run_phase(PHASE_WARM_UP, path, 0, load.warm_up_seconds);
    uint64_t began_ns = load_now_ns();
    run_phase(PHASE_LOAD, path, 0, load.seconds);
    load.measured_seconds = (double)(load_now_ns() - began_ns) / 1e9;
}

static void run_all(void)
{
    const char *reserve = load.is_peer ? "/logistics.v1.InventoryService/Reserve"
                                       : "/waybill.inventory.v1.InventoryService/Reserve";
    const char *get = "/waybill.inventory.v1.InventoryService/GetStock";
    if (load.is_allocate) {
        measure(load.is_peer ? "/logistics.v1.WarehouseService/Allocate"
                             : "/waybill.warehouse.v1.WarehouseService/Allocate");
        return;
    }
    if (!load.is_peer) {
        run_phase(PHASE_RECEIVE, "/waybill.inventory.v1.InventoryService/ReceiveStock", skus, 0);
        run_phase(PHASE_BEFORE, get, skus, 0);
    }
    measure(load.is_get ? get : reserve);
    if (load.is_peer || load.is_get)
        return;
    run_phase(PHASE_AFTER, get, skus, 0);
    run_phase(PHASE_VERIFY, "/waybill.inventory.v1.InventoryService/VerifyLedger", 1, 0);
}

static void print_result(void)
{
    uint64_t all = load.latencies.total;
    double rate = (double)load.by_status[0] / load.measured_seconds;
    double p50 = (double)histogram_at(&load.latencies, 0.50) / 1e6;
    double p99 = (double)histogram_at(&load.latencies, 0.99) / 1e6;
    double largest = (double)load.latencies.largest / 1e6;
    const char *what = load.is_allocate ? "Allocate" : load.is_get ? "GetStock" : "Reserve";
    bool checked = !load.is_peer && !load.is_get && !load.is_allocate;
    uint64_t granted = 0; /* warm-up too: what the store must show */
    for (unsigned i = 0; i < skus; i++)
        granted += load.ok_by_sku[i];
    if (load.json) {
        printf(
            "{\"method\":\"%s\",\"connections\":%u,\"streams\":%u,\"seconds\":%.3f,\"calls\":%llu,"
            "\"ok\":%llu,\"perSecond\":%.0f,\"p50Ms\":%.3f,\"p99Ms\":%.3f,\"maxMs\":%.3f,"
            "\"granted\":%llu,\"effectChecked\":%s,\"differences\":%llu,\"mismatches\":%llu}\n",
            what, load.connections, load.streams, load.measured_seconds, (unsigned long long)all,
            (unsigned long long)load.by_status[0], rate, p50, p99, largest,
            (unsigned long long)granted, checked ? "true" : "false",
            (unsigned long long)load.differences, (unsigned long long)load.mismatches);
        return;
    }
    printf("%s %u x %u: %.1f thousand/s, p50 %.3f ms, p99 %.3f ms, max %.1f ms", what,
           load.connections, load.streams, rate / 1000, p50, p99, largest);
    for (int i = 1; i <= 16; i++) {
        if (load.by_status[i] > 0)
            printf(", status %d: %llu", i, (unsigned long long)load.by_status[i]);
    }
    if (load.other_status > 0)
        printf(", without status: %llu", (unsigned long long)load.other_status);
    if (checked)
        printf("; effect of %d SKUs: %llu differ; ledger of %llu entries: %s", (int)skus,
               (unsigned long long)load.differences, (unsigned long long)load.entries,
               load.mismatches ? "MISMATCHES" : "0 mismatches");
    printf("\n");
}

/* --- the command line --- */

static _Noreturn void usage(void)
{
    fprintf(stderr,
            "usage: load waybill|peer HOST:PORT [--connections C] [--streams M] [--seconds S]\n"
            "            [--warm-up S] [--hot N] [--get | --allocate] [--json]\n"
            "  --hot N  each N-th call goes to one hot SKU (10; 0 = none)\n"
            "  --get    GetStock instead of Reserve (waybill only)\n"
            "  --allocate   Allocate instead of Reserve\n");
    exit(2);
}

static void read_arguments(int argc, char **argv)
{
    if (argc < 3 || (strcmp(argv[1], "waybill") != 0 && strcmp(argv[1], "peer") != 0))
        usage();
    load.is_peer = strcmp(argv[1], "peer") == 0;
    load.address = argv[2];
    for (int i = 3; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--json") == 0) {
            load.json = true;
            continue;
        }
        if (strcmp(argv[i], "--allocate") == 0) {
            load.is_allocate = true;
            continue;
        }
        if (strcmp(argv[i], "--get") == 0) {
            load.is_get = true;
            continue;
        }
        if (strcmp(argv[i], "--connections") == 0)
            load.connections = (unsigned)atoi(value);
        else if (strcmp(argv[i], "--streams") == 0)
            load.streams = (unsigned)atoi(value);
        else if (strcmp(argv[i], "--seconds") == 0)
            load.seconds = atof(value);
        else if (strcmp(argv[i], "--warm-up") == 0)
            load.warm_up_seconds = atof(value);
        else if (strcmp(argv[i], "--hot") == 0)
            load.hot_every = (unsigned)atoi(value);
        else
            usage();
        i++;
    }
    if (load.connections == 0 || load.connections > load_connections_max || load.streams == 0)
        usage();
}

int main(int argc, char **argv)
{
    read_arguments(argc, argv);
    load.seed = load_now_ns() | 1;
    snprintf(load.run, sizeof load.run, "L%08x", next_random());
    load.client.finished = finished;
    if (!load_client_open(&load.client, load.address, load.connections))
        usage();
    load.slot_count = (size_t)load.connections * load.streams;
    load.slots = calloc(load.slot_count, sizeof *load.slots);
    if (load.slots == NULL)
        load_give_up("start", "out of memory");
    for (size_t i = 0; i < load.slot_count; i++)
        load.slots[i].call.connection =
            load_client_connection(&load.client, (unsigned)(i / load.streams));
    run_all();
    print_result();
    return load.differences > 0 || load.mismatches > 0;
}
