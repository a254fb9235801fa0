/*
 * The embedded inventory store alone, without network: what a reservation costs in memory, how fast
 * one thread decides and writes, how fast the store opens again. Not a test: nothing is asserted.
 *
 *     embedded_load DIRECTORY [RESERVATIONS]
 *
 * DIRECTORY must be empty or missing. Each step runs in a process of its own, so that resident
 * memory tells what it needs: (1) open empty, reserve RESERVATIONS times one line, ids of 16 bytes,
 * over 10,000 SKUs, in steps of 1,024; (2) open that again; (3) open a second store, empty, reserve
 * as many, but roll each back in the step that follows; (4) open that again.
 */
#include "inventory/infrastructure/embedded/embedded_repository.h"
#include "tests/support/test_executor.h"

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { skus = 10000, batch = 1024 };

static const int64_t hour_us = INT64_C(3600) * 1000 * 1000;

struct run {
    struct inventory_repository *repository;
    struct test_executor executor;
    int64_t memory_before;
    uint64_t count;
    uint64_t refused;
};

static int64_t now_us(void)
{
    return clock_monotonic_us(clock_system());
}

static void stop_on(struct error error)
{
    if (!error_is(error))
        return;
    fprintf(stderr, "embedded_load: %s: %s\n", error_text(error.code), error.detail);
    exit(1);
}

static int64_t resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static double bytes_each(const struct run *run)
{
    malloc_trim(0);
    return (double)(resident_bytes() - run->memory_before) / (double)run->count;
}

static void open_store(struct run *run, const char *directory)
{
    struct embedded_repository_options options = embedded_repository_options_default();
    options.directory = directory;
    options.threaded = false;
    test_executor_init(&run->executor);
    run->memory_before = resident_bytes();
    int64_t began_us = now_us();
    stop_on(embedded_repository_open(&run->repository, &options));
    printf("opened in %.3f s\n", (double)(now_us() - began_us) / 1e6);
}

static void note(void *context, const struct error *error)
{
    struct run *run = context;
    if (error != NULL)
        run->refused++;
}

static void finish_step(struct run *run)
{
    stop_on(embedded_repository_step(run->repository));
    test_executor_run_all(&run->executor);
}

static struct inventory_command command_base(struct run *run, struct arena *arena)
{
    return (struct inventory_command){.executor = &run->executor.base, .arena = arena};
}

static void receive_all(struct run *run)
{
    static struct receive_stock_command commands[skus];
    static char names[skus][16];
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    for (size_t i = 0; i < skus; i++) {
        snprintf(names[i], sizeof names[i], "SKU-%05zu", i);
        commands[i] = (struct receive_stock_command){
            .base = command_base(run, &arena),
            .receipt_id = text_of(names[i]),
            .sku = text_of(names[i]),
            .quantity = INT64_C(1000000000),
        };
        inventory_repository_receive_stock(run->repository, &commands[i], note, run);
    }
    finish_step(run);
    arena_deinit(&arena);
}

/* One batch of commands, with what they point to. */
struct commands {
    struct arena arena;
    struct reserve_command reserve[batch];
    struct rollback_command rollback[batch];
    struct quantity_line lines[batch];
    char names[batch][32];
    char ids[batch][32];
};

static size_t reserve_some(struct run *run, struct commands *commands, uint64_t first)
{
    size_t count = 0;
    for (; count < batch && first + count < run->count; count++) {
        unsigned long long number = first + count;
        char *name = commands->names[count];
        char *id = commands->ids[count];
        snprintf(name, sizeof commands->names[count], "SKU-%05llu", number * 7919 % skus);
        snprintf(id, sizeof commands->ids[count], "cart%012llu", number);
        commands->lines[count] = (struct quantity_line){.sku = text_of(name), .quantity = 1};
        commands->reserve[count] = (struct reserve_command){
            .base = command_base(run, &commands->arena),
            .reservation_id = text_of(id),
            .ttl_us = 24 * hour_us,
            .lines = &commands->lines[count],
            .line_count = 1,
        };
        inventory_repository_reserve(run->repository, &commands->reserve[count], note, run);
    }
    finish_step(run);
    return count;
}

static void roll_back_some(struct run *run, struct commands *commands, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        commands->rollback[i] = (struct rollback_command){
            .base = command_base(run, &commands->arena),
            .reservation_id = text_of(commands->ids[i]),
        };
        inventory_repository_rollback(run->repository, &commands->rollback[i], note, run);
    }
    finish_step(run);
}

static void play(struct run *run, bool resolve)
{
    static struct commands commands;
    int64_t began_us = now_us();
    size_t count;
    for (uint64_t done = 0; done < run->count; done += count) {
        arena_init(&commands.arena, SIZE_MAX);
        count = reserve_some(run, &commands, done);
        if (resolve)
            roll_back_some(run, &commands, count);
        arena_deinit(&commands.arena);
    }
    double seconds = (double)(now_us() - began_us) / 1e6;
    printf("  %llu %s in steps of %d: %.0f thousand/s, %.0f bytes each resident\n",
           (unsigned long long)run->count, resolve ? "reserved and rolled back" : "reserved",
           (int)batch, (double)run->count / seconds / 1e3, bytes_each(run));
}

struct step {
    const char *directory;
    bool again;   /* the store is there; otherwise it is made and filled */
    bool resolve; /* nothing stays pending */
};

static const struct step steps[] = {
    {.directory = "pending"},
    {.directory = "pending", .again = true},
    {.directory = "resolved", .resolve = true},
    {.directory = "resolved", .again = true, .resolve = true},
};

static void run_step(struct run *run, const struct step *step)
{
    printf("%s%s: ", step->again ? "all " : "empty, for ", step->directory);
    open_store(run, step->directory);
    if (step->again) {
        printf("  %.0f bytes each resident\n", bytes_each(run));
    } else {
        receive_all(run);
        play(run, step->resolve);
    }
    embedded_repository_close(run->repository);
    test_executor_deinit(&run->executor);
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: embedded_load DIRECTORY [RESERVATIONS]\n");
        return 2;
    }
    struct run run = {.count = argc == 3 ? strtoull(argv[2], NULL, 10) : 1000000};
    if ((mkdir(argv[1], 0700) != 0 && errno != EEXIST) || chdir(argv[1]) != 0) {
        perror(argv[1]);
        return 1;
    }
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        int status = 0;
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            run_step(&run, &steps[i]);
            if (run.refused > 0)
                printf("%llu were refused\n", (unsigned long long)run.refused);
            fflush(stdout);
            _exit(run.refused > 0);
        }
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            return 1;
    }
    return 0;
}
