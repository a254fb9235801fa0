/*
 * A client that loads a SQL store until it is told to stop, for sql_faults_test.py: each round it
 * makes one numbered transfer (a row, and two balances that move together), asks again with the
 * same number when the outcome is unknown, and writes a line for each answer:
 *
 *   ready                     the store is open
 *   TIME ok NUMBER            committed (a repeat that finds its row is one, too)
 *   TIME CODE                 an answer that is an error
 *   available 0|1 TIME        when the store's breaker changes
 *
 * `end` on standard input ends it: it stops sending, waits for all answers, compares what it knows
 * with the database and writes "lost N wrong N unknown N answers N". Times are milliseconds since
 * the start. Usage: sql_load URL CLIENTS DEADLINE_MS.
 */
#include "platform/sql/sql.h"
#include "tests/support/test_executor.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { clients_max = 64, numbers_max = 4 * 1000 * 1000, arena_bytes_max = 1024 * 1024 };

static const struct sql_migration migrations[] = {
    {1, "load",
     "CREATE TABLE transfers (number INTEGER PRIMARY KEY, amount INTEGER NOT NULL);"
     "CREATE TABLE balances (name TEXT PRIMARY KEY, value INTEGER NOT NULL);"
     "INSERT INTO balances (name, value) VALUES ('from', 0), ('to', 0)"},
};
static const struct sql_migration_set set = {
    .context = "load",
    .sqlite = migrations,
    .sqlite_count = 1,
    .postgresql = migrations,
    .postgresql_count = 1,
};
static const struct sql_migration_set *const sets[] = {&set};

struct client {
    struct sql_job job;
    struct arena arena;
    int64_t number;
    bool busy;
    bool repeat;
    int64_t sent_ms;
};

struct load {
    struct sql_store *store;
    struct test_executor executor;
    struct client clients[clients_max];
    int client_count;
    int64_t deadline_ms;
    int64_t next_number;
    unsigned char *committed; /* by number: 1 = acknowledged */
    int64_t answers;
    int64_t latest_ms; /* the longest time that an answer took */
    bool was_available;
    bool tell_all;
};

static int64_t start_us;

static int64_t now_ms(void)
{
    return (clock_monotonic_us(clock_system()) - start_us) / 1000;
}

static const struct sql_statement find_transfer = {
    .text = "SELECT amount FROM transfers WHERE number = $1",
};
static const struct sql_statement insert_transfer = {
    .text = "INSERT INTO transfers (number, amount) VALUES ($1, $2)",
};
static const struct sql_statement move = {
    .text = "UPDATE balances SET value = value + $2 WHERE name = $1",
};

static enum sql_verdict transfer(struct sql_session *session, void *context, struct error *error)
{
    const struct client *client = context;
    const struct sql_value number = sql_integer(client->number);
    const struct sql_value row[] = {number, sql_integer(client->number % 97)};
    const struct sql_value from[] = {sql_text(text_of("from")), sql_integer(-client->number % 97)};
    const struct sql_value to[] = {sql_text(text_of("to")), sql_integer(client->number % 97)};
    struct sql_rows rows;
    (void)error;
    if (!sql_query(session, &find_transfer, &number, 1, &rows))
        return SQL_FAIL;
    if (rows.count == 1)
        return SQL_COMMIT; /* done before */
    return sql_enqueue(session, &insert_transfer, row, 2, 1) &&
                   sql_enqueue(session, &move, from, 2, 1) && sql_enqueue(session, &move, to, 2, 1)
               ? SQL_COMMIT
               : SQL_FAIL;
}

static struct load load;

static void transfer_done(struct sql_job *job, const struct error *error)
{
    struct client *client = job->context;
    int64_t taken_ms = now_ms() - client->sent_ms;
    client->busy = false;
    client->repeat = error != NULL;
    load.answers++;
    if (taken_ms > load.latest_ms)
        load.latest_ms = taken_ms;
    if (error == NULL) {
        load.committed[client->number] = 1;
        if (load.tell_all || client->number % 100 == 0)
            printf("%lld ok %lld\n", (long long)now_ms(), (long long)client->number);
    } else {
        printf("%lld %s %s\n", (long long)now_ms(), error_text(error->code), error->detail);
    }
}

static void send_next(struct client *client)
{
    if (!client->repeat)
        client->number = load.next_number++;
    client->busy = true;
    client->sent_ms = now_ms();
    arena_reset(&client->arena);
    client->job = (struct sql_job){
        .executor = &load.executor.base,
        .arena = &client->arena,
        .access = SQL_WRITE,
        .deadline_us = clock_monotonic_us(clock_system()) + load.deadline_ms * 1000,
        .script = transfer,
        .context = client,
    };
    sql_store_submit(load.store, &client->job, transfer_done);
}

static int busy_clients(void)
{
    int busy = 0;
    for (int i = 0; i < load.client_count; i++)
        busy += load.clients[i].busy;
    return busy;
}

static bool must_end(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, 0) > 0;
}

static void tell_availability(void)
{
    bool available = sql_store_usage(load.store).available;
    if (available != load.was_available)
        printf("available %d %lld\n", available, (long long)now_ms());
    load.was_available = available;
}

static void run(void)
{
    const struct timespec moment = {.tv_nsec = 2000000};
    bool ending = false;
    while (!ending || busy_clients() > 0) {
        ending = ending || must_end() || load.next_number >= numbers_max - clients_max;
        for (int i = 0; i < load.client_count && !ending; i++) {
            if (!load.clients[i].busy && sql_store_usage(load.store).available)
                send_next(&load.clients[i]);
        }
        if (busy_clients() == 0)
            nanosleep(&moment, NULL);
        else
            (void)test_executor_wait(&load.executor, 20000);
        test_executor_run_all(&load.executor);
        tell_availability();
        fflush(stdout);
    }
}

/* --- the comparison --- */

struct found {
    unsigned char *present;
    int64_t sum;
    int64_t from;
    int64_t to;
};

static const struct sql_statement all_transfers = {.text = "SELECT number, amount FROM transfers"};
static const struct sql_statement all_balances = {
    .text = "SELECT value FROM balances ORDER BY name",
};

static bool keep_transfer(void *context, const struct sql_value *values, size_t column_count)
{
    struct found *found = context;
    (void)column_count;
    found->present[values[0].integer] = 1;
    found->sum += values[1].integer;
    return true;
}

static enum sql_verdict read_all(struct sql_session *session, void *context, struct error *error)
{
    struct found *found = context;
    struct sql_rows rows;
    (void)error;
    found->sum = 0;
    memset(found->present, 0, numbers_max);
    if (!sql_each(session, &all_transfers, NULL, 0, keep_transfer, found) ||
        !sql_query(session, &all_balances, NULL, 0, &rows))
        return SQL_FAIL;
    found->from = sql_rows_integer(&rows, 0, 0);
    found->to = sql_rows_integer(&rows, 1, 0);
    return SQL_COMMIT;
}

static int compare(void)
{
    struct found found = {.present = calloc(1, numbers_max)};
    struct arena arena;
    int64_t lost = 0;
    int64_t unknown = 0;
    arena_init(&arena, arena_bytes_max);
    struct sql_job job = {
        .arena = &arena,
        .access = SQL_READ,
        .script = read_all,
        .context = &found,
    };
    struct error error = sql_store_run(load.store, &job);
    if (error_is(error)) {
        printf("cannot compare: %s\n", error.detail);
        return 1;
    }
    for (int64_t number = 0; number < load.next_number; number++) {
        lost += load.committed[number] && !found.present[number];
        unknown += !load.committed[number] && found.present[number];
    }
    printf("lost %lld wrong %lld unknown %lld answers %lld latest_ms %lld\n", (long long)lost,
           (long long)(llabs(found.sum - found.to) + llabs(found.to + found.from)),
           (long long)unknown, (long long)load.answers, (long long)load.latest_ms);
    arena_deinit(&arena);
    free(found.present);
    return 0;
}

int main(int argc, char **argv)
{
    struct sql_store_options options = sql_store_options_default();
    if (argc != 4 && argc != 5)
        return 2;
    load.tell_all = argc == 5;
    load.client_count = atoi(argv[2]);
    load.deadline_ms = atoi(argv[3]);
    load.committed = calloc(1, numbers_max);
    load.was_available = true;
    options.url = argv[1];
    options.name = "load";
    options.migrations = sets;
    options.migration_count = 1;
    struct error error = sql_store_open(&load.store, &options);
    if (error_is(error)) {
        fprintf(stderr, "%s: %s\n", error_text(error.code), error.detail);
        return 1;
    }
    test_executor_init(&load.executor);
    for (int i = 0; i < load.client_count; i++)
        arena_init(&load.clients[i].arena, arena_bytes_max);
    start_us = clock_monotonic_us(clock_system());
    printf("ready\n");
    fflush(stdout);
    run();
    int code = compare();
    sql_store_close(load.store);
    for (int i = 0; i < load.client_count; i++)
        arena_deinit(&load.clients[i].arena);
    test_executor_deinit(&load.executor);
    free(load.committed);
    return code;
}
