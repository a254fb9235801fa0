/*
 * Shipping as fast as it answers, through gRPC.
 *
 *   shipping_load rates HOST:PORT [options]      GetRates of one parcel from Berlin to Paris
 *   shipping_load shipments HOST:PORT [options]  CreateShipment, each with an id of its own
 *
 *   --carriers A,B     whom to ask (all); CreateShipment takes the first, whose service is
 * --service
 *   --connections C --streams M --seconds S
 *   --calls N          ends after so many calls instead
 *   --simulator H:P    one caller (1 x 1): after each call `waybill simulate carriers` is asked how
 *                      long its slowest carrier took, and what lies beyond that is ours
 *   --pid PID          the server's CPU time a call, and its resident memory before and after
 *
 * Bodies are packed and framed beforehand. The first answer is unpacked and must hold what was
 * asked for; of the others the status is counted.
 */
#include "google/protobuf/timestamp.pb-c.h"
#include "tests/load/histogram.h"
#include "tests/load/load_client.h"
#include "waybill/shipping/v1/shipping.pb-c.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    body_bytes_max = 1024,
    answer_bytes_max = 64 * 1024,
    names_max = 4,
    id_digits = 12,
    id_at = load_frame_size + 2 + 9, /* the digits of shipment_id, the first field */
};

struct slot {
    struct load_call call; /* first */
    char body[body_bytes_max];
};

struct shipping_load {
    bool is_purchase;
    const char *address;
    const char *simulator;
    const char *service;
    char *carriers[names_max];
    size_t carrier_count;
    unsigned connections;
    unsigned streams;
    double seconds;
    uint64_t calls_max; /* 0 = by time */
    long pid;
    char body[body_bytes_max];
    size_t body_size;
    struct load_client client;
    struct slot *slots;
    size_t slot_count;
    bool measuring;
    uint64_t begun;
    uint64_t until_ns;
    uint64_t by_status[18]; /* the last: none */
    unsigned char answer[answer_bytes_max];
    size_t answer_size;
    struct histogram latencies;
    struct histogram beyond;
};

static struct shipping_load load = {
    .connections = 16, .streams = 100, .seconds = 5, .service = "PRIORITY"};

/* --- what is asked --- */

static void make_body(void)
{
    Waybill__Common__V1__GeoPoint berlin = WAYBILL__COMMON__V1__GEO_POINT__INIT;
    Waybill__Common__V1__GeoPoint paris = WAYBILL__COMMON__V1__GEO_POINT__INIT;
    Waybill__Common__V1__Address from = WAYBILL__COMMON__V1__ADDRESS__INIT;
    Waybill__Common__V1__Address to = WAYBILL__COMMON__V1__ADDRESS__INIT;
    Waybill__Shipping__V1__Parcel parcel = WAYBILL__SHIPPING__V1__PARCEL__INIT;
    Waybill__Shipping__V1__Parcel *parcels[1] = {&parcel};
    Waybill__Shipping__V1__GetRatesRequest rates = WAYBILL__SHIPPING__V1__GET_RATES_REQUEST__INIT;
    Waybill__Shipping__V1__CreateShipmentRequest purchase =
        WAYBILL__SHIPPING__V1__CREATE_SHIPMENT_REQUEST__INIT;
    char id[32];
    char *from_line = (char[]){"Torstraße 1"}, *to_line = (char[]){"1 Rue de l'Été"};
    berlin.latitude_e7 = 525200000;
    berlin.longitude_e7 = 134050000;
    paris.latitude_e7 = 488566000;
    paris.longitude_e7 = 23522000;
    from.name = (char[]){"Central warehouse"};
    from.phone = (char[]){"+4930550100"};
    from.lines = &from_line;
    from.n_lines = 1;
    from.city = (char[]){"Berlin"};
    from.postal_code = (char[]){"10115"};
    from.country_code = (char[]){"DE"};
    from.point = &berlin;
    to = from;
    to.name = (char[]){"Zoë Łukasiewicz"};
    to.phone = (char[]){"+33155550100"};
    to.lines = &to_line;
    to.city = (char[]){"Paris"};
    to.postal_code = (char[]){"75001"};
    to.country_code = (char[]){"FR"};
    to.point = &paris;
    parcel.weight_grams = 2000;
    parcel.length_mm = 300;
    parcel.width_mm = 200;
    parcel.height_mm = 150;
    rates.origin = purchase.origin = &from;
    rates.destination = purchase.destination = &to;
    rates.parcels = purchase.parcels = parcels;
    rates.n_parcels = purchase.n_parcels = 1;
    rates.carriers = load.carriers;
    rates.n_carriers = load.carrier_count;
    snprintf(id, sizeof id, "L%07llx-%012d", (unsigned long long)(load_now_ns() >> 10 & 0xFFFFFFF),
             0);
    purchase.shipment_id = id;
    purchase.carrier = load.carriers[0];
    purchase.service_code = (char *)(uintptr_t)load.service;
    const ProtobufCMessage *message = load.is_purchase ? &purchase.base : &rates.base;
    size_t size = protobuf_c_message_get_packed_size(message);
    if (size > body_bytes_max - load_frame_size)
        load_give_up("start", "the body is too long");
    protobuf_c_message_pack(message, (uint8_t *)load.body + load_frame_size);
    load_frame(load.body, size);
    load.body_size = load_frame_size + size;
}

static void begin(struct slot *slot)
{
    uint64_t number = ++load.begun;
    if (load.is_purchase) {
        for (char *digit = slot->body + id_at + id_digits; digit-- > slot->body + id_at;
             number /= 10)
            *digit = (char)('0' + number % 10);
    }
    slot->call.answer = slot == load.slots && load.answer_size == 0 ? load.answer : NULL;
    load_call_begin(&slot->call);
}

/* --- the simulator's own time --- */

/* A number of the JSON object; 0 if it has none of that name. */
static double number_of(const char *json, const char *name)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    const char *found = strstr(json, quoted);
    return found == NULL ? 0 : strtod(found + strlen(quoted), NULL);
}

/* What the slowest of its carriers took for the last question about rates. */
static uint64_t simulator_slowest_ns(void)
{
    static const char *const names[] = {"rating_us_ups", "rating_us_fedex", "rating_us_dhl"};
    char request[160], host[64], answer[4096];
    struct sockaddr_in address = {.sin_family = AF_INET};
    size_t size = 0;
    double slowest = 0;
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const char *colon = strrchr(load.simulator, ':');
    if (colon == NULL)
        load_give_up("simulator", "that is no HOST:PORT");
    snprintf(host, sizeof host, "%.*s", (int)(colon - load.simulator), load.simulator);
    address.sin_port = htons((uint16_t)atoi(colon + 1));
    inet_pton(AF_INET, host, &address.sin_addr);
    int length = snprintf(request, sizeof request,
                          "GET /simulator/counts HTTP/1.1\r\nhost: %.60s\r\n"
                          "connection: close\r\n\r\n",
                          load.simulator);
    if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0 ||
        send(connection, request, (size_t)length, MSG_NOSIGNAL) != length)
        load_give_up("simulator", "does not answer");
    for (ssize_t got = 1; got > 0 && size<sizeof answer - 1; size += got> 0 ? (size_t)got : 0)
        got = recv(connection, answer + size, sizeof answer - 1 - size, 0);
    close(connection);
    answer[size] = '\0';
    for (size_t i = 0; i < 3; i++) {
        double took = number_of(answer, names[i]);
        slowest = took > slowest ? took : slowest;
    }
    return (uint64_t)(slowest * 1000);
}

/* --- the run --- */

static void finished(struct load_call *call)
{
    uint64_t took_ns = load_now_ns() - call->began_ns;
    bool more = load.calls_max != 0 ? load.begun < load.calls_max : load_now_ns() < load.until_ns;
    if (call->answer != NULL && load.answer_size == 0)
        load.answer_size = call->answer_size;
    if (load.measuring) {
        load.by_status[call->status >= 0 && call->status <= 16 ? call->status : 17]++;
        histogram_add(&load.latencies, took_ns);
        if (load.simulator != NULL) {
            uint64_t slowest_ns = simulator_slowest_ns();
            histogram_add(&load.beyond, took_ns > slowest_ns ? took_ns - slowest_ns : 0);
        }
    }
    if (more)
        begin((struct slot *)call);
}

static void run(double seconds)
{
    load.until_ns = load_now_ns() + (uint64_t)(seconds * 1e9);
    for (size_t i = 0; i < load.slot_count && (load.calls_max == 0 || load.begun < load.calls_max);
         i++)
        begin(&load.slots[i]);
    load_client_flush(&load.client);
    while (load.client.in_flight > 0)
        load_client_turn(&load.client);
}

/* --- the server --- */

static double cpu_seconds(void)
{
    char path[64], line[1024];
    double user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", load.pid);
    FILE *file = load.pid == 0 ? NULL : fopen(path, "r");
    if (file == NULL)
        return 0;
    size_t size = fread(line, 1, sizeof line - 1, file);
    line[size] = '\0';
    const char *at = strrchr(line, ')');
    for (int field = 2; at != NULL && field < 15; field++) {
        at = strchr(at, ' ');
        at = at == NULL ? NULL : at + 1;
        if (at != NULL && field == 12)
            user = strtod(at, NULL);
        if (at != NULL && field == 13)
            system = strtod(at, NULL);
    }
    fclose(file);
    return (user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* A row of /proc/PID/status, in MiB. */
static double memory_of(const char *row)
{
    char path[64], line[256];
    double kibibytes = 0;
    snprintf(path, sizeof path, "/proc/%ld/status", load.pid);
    FILE *file = load.pid == 0 ? NULL : fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, row, strlen(row)) == 0)
            kibibytes = strtod(line + strlen(row), NULL);
    }
    if (file != NULL)
        fclose(file);
    return kibibytes / 1024;
}

/* --- the result --- */

/* What the first answer holds. */
static void print_answer(void)
{
    size_t size = load.answer_size < load_frame_size ? 0 : load.answer_size - load_frame_size;
    const uint8_t *bytes = load.answer + load_frame_size;
    if (load.is_purchase) {
        Waybill__Shipping__V1__CreateShipmentResponse *answer =
            waybill__shipping__v1__create_shipment_response__unpack(NULL, size, bytes);
        if (answer == NULL || answer->shipment == NULL)
            load_give_up("the first answer", "holds no shipment");
        printf("; the first: %s, state %d", answer->shipment->tracking_number,
               (int)answer->shipment->state);
        waybill__shipping__v1__create_shipment_response__free_unpacked(answer, NULL);
        return;
    }
    Waybill__Shipping__V1__GetRatesResponse *answer =
        waybill__shipping__v1__get_rates_response__unpack(NULL, size, bytes);
    if (answer == NULL || answer->n_rates == 0)
        load_give_up("the first answer", "holds no rates");
    printf("; %zu rates and %zu failures in %zu bytes", answer->n_rates, answer->n_failures, size);
    waybill__shipping__v1__get_rates_response__free_unpacked(answer, NULL);
}

static void print_latencies(const char *what, const struct histogram *histogram)
{
    printf("%s p50 %.3f, p99 %.3f, max %.3f ms", what, (double)histogram_at(histogram, 0.50) / 1e6,
           (double)histogram_at(histogram, 0.99) / 1e6, (double)histogram->largest / 1e6);
}

static void print_result(double seconds, double cpu, double own_cpu, double memory_before)
{
    uint64_t all = load.latencies.total;
    printf("%s %u x %u: %llu calls, %.2f thousand/s,",
           load.is_purchase ? "CreateShipment" : "GetRates", load.connections, load.streams,
           (unsigned long long)all, (double)load.by_status[0] / seconds / 1000);
    print_latencies("", &load.latencies);
    if (load.simulator != NULL)
        print_latencies("; beyond the slowest carrier", &load.beyond);
    for (int i = 1; i < 18; i++) {
        if (load.by_status[i] > 0)
            printf(", status %d: %llu", i == 17 ? -1 : i, (unsigned long long)load.by_status[i]);
    }
    if (load.answer_size > 0)
        print_answer();
    if (load.pid != 0)
        printf("; server: %.2f us of CPU a call, resident %.1f MiB before, %.1f after, %.1f peak",
               cpu * 1e6 / (double)(all == 0 ? 1 : all), memory_before, memory_of("VmRSS:"),
               memory_of("VmHWM:"));
    printf("; generator: %.2f us a call", own_cpu * 1e6 / (double)(all == 0 ? 1 : all));
    printf("\n");
}

/* --- the command line --- */

static _Noreturn void usage(void)
{
    fprintf(stderr,
            "usage: shipping_load rates|shipments HOST:PORT [--carriers A,B] [--service S]\n"
            "           [--connections C] [--streams M] [--seconds S | --calls N]\n"
            "           [--simulator HOST:PORT] [--pid PID]\n");
    exit(2);
}

static void read_carriers(char *list)
{
    for (char *name = strtok(list, ","); name != NULL; name = strtok(NULL, ",")) {
        if (load.carrier_count == names_max)
            usage();
        load.carriers[load.carrier_count++] = name;
    }
}

static void read_arguments(int count, char **arguments)
{
    if (count < 3 || count % 2 != 1)
        usage();
    load.is_purchase = strcmp(arguments[1], "shipments") == 0;
    load.address = arguments[2];
    for (int i = 3; i < count; i += 2) {
        char *value = arguments[i + 1];
        if (strcmp(arguments[i], "--carriers") == 0)
            read_carriers(value);
        else if (strcmp(arguments[i], "--service") == 0)
            load.service = value;
        else if (strcmp(arguments[i], "--connections") == 0)
            load.connections = (unsigned)atoi(value);
        else if (strcmp(arguments[i], "--streams") == 0)
            load.streams = (unsigned)atoi(value);
        else if (strcmp(arguments[i], "--seconds") == 0)
            load.seconds = atof(value);
        else if (strcmp(arguments[i], "--calls") == 0)
            load.calls_max = strtoull(value, NULL, 10);
        else if (strcmp(arguments[i], "--simulator") == 0)
            load.simulator = value;
        else if (strcmp(arguments[i], "--pid") == 0)
            load.pid = atol(value);
        else
            usage();
    }
    if (load.simulator != NULL)
        load.connections = load.streams = 1;
    if (load.connections == 0 || load.connections > load_connections_max || load.streams == 0 ||
        (load.is_purchase && load.carrier_count == 0))
        usage();
}

int main(int count, char **arguments)
{
    read_arguments(count, arguments);
    make_body();
    load.client.path = load.is_purchase ? "/waybill.shipping.v1.ShippingService/CreateShipment"
                                        : "/waybill.shipping.v1.ShippingService/GetRates";
    load.client.finished = finished;
    if (!load_client_open(&load.client, load.address, load.connections))
        usage();
    load.slot_count = (size_t)load.connections * load.streams;
    load.slots = calloc(load.slot_count, sizeof *load.slots);
    if (load.slots == NULL)
        load_give_up("start", "out of memory");
    for (size_t i = 0; i < load.slot_count; i++) {
        struct slot *slot = &load.slots[i];
        memcpy(slot->body, load.body, load.body_size);
        slot->call = (struct load_call){
            .connection = load_client_connection(&load.client, (unsigned)(i / load.streams)),
            .body = slot->body,
            .body_size = load.body_size,
            .answer_room = answer_bytes_max};
    }
    if (load.calls_max == 0)
        run(load.seconds / 5); /* warm-up */
    load.measuring = true;
    double memory_before = memory_of("VmRSS:"), cpu_before = cpu_seconds();
    double own_before = (double)clock() / CLOCKS_PER_SEC;
    uint64_t began_ns = load_now_ns();
    run(load.seconds);
    double seconds = (double)(load_now_ns() - began_ns) / 1e9;
    print_result(seconds, cpu_seconds() - cpu_before, (double)clock() / CLOCKS_PER_SEC - own_before,
                 memory_before);
    return load.by_status[0] == 0;
}
