/*
 * Goal: two processes drive orders on one database; requests and answers get lost or come late,
 * those of the database, too; carriers refuse, processes are killed at any instant: every order
 * ends done or undone, nothing is held, taken or bought twice, nothing is left.
 *
 * Method: the real driver, process and SQL repository (SQLite, on the test's thread) against the
 * services of order_world.h. One scheduler picks what happens next from a seed: a step of the
 * store, a completion, an answer, a tick, a kill. SEED=… replays one; SEEDS=… sets how many.
 */
#include "fulfillment/application/order_driver.h"
#include "tests/support/fulfillment/fulfillment_kit.h"
#include "tests/support/fulfillment/order_world.h"

#include "platform/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { process_count = 2, order_count = 4, calls_max = 64, rounds_max = 200000 };

static uint64_t running_seed;

/* --- a process: a driver, and what stands between it and the world --- */

struct scene;

struct process {
    struct order_services services; /* first: what the driver calls */
    struct fulfillment_repository repository;
    struct scene *scene;
    struct test_executor executor;
    struct order_driver *driver;
    bool is_killed; /* nothing of it reaches anybody any more */
};

enum customer_step { WANTS_PROMISE, WANTS_MORE, IS_DONE };

struct customer {
    struct scene *scene;
    char order_id[16];
    struct order_job job; /* first unanswered, or none */
    struct arena arena;
    bool is_waiting;
    enum customer_step step;
    enum order_job_kind wish[2]; /* after the promise */
    unsigned wish_count;
    unsigned granted;
};

struct scene {
    struct fulfillment_kit kit;
    struct random_seeded random;
    struct order_world world;
    struct process processes[process_count];
    struct customer customers[order_count];
    struct {
        struct order_call *call;
        struct process *process;
    } calls[calls_max];
    size_t call_count;
    struct { /* commands whose answers will be lost, and who waits for them */
        struct fulfillment_command *command;
        fulfillment_done *done;
    } unlucky[calls_max];
    size_t unlucky_count;
    unsigned lost_by_store_permille;
    unsigned lost_by_store;
    unsigned kill_permille;
    unsigned kills;
};

static struct scene *scene_of_unlucky; /* the one that is played */

static uint64_t below(struct scene *scene, uint64_t bound)
{
    return random_below(&scene->random.base, bound);
}

static struct process *process_of_repository(struct fulfillment_repository *repository)
{
    return (struct process *)(void *)((char *)repository - offsetof(struct process, repository));
}

static void call_service(struct order_services *services, struct order_call *call)
{
    struct process *process = (struct process *)services;
    struct scene *scene = process->scene;
    CHECK(scene->call_count < calls_max);
    scene->calls[scene->call_count].call = call;
    scene->calls[scene->call_count++].process = process;
}

/* A killed process' commands come to nothing; what was with the store already is done there. */
static void fail_command(struct task *task)
{
    struct fulfillment_command *command =
        (struct fulfillment_command *)(void *)((char *)task -
                                               offsetof(struct fulfillment_command, task));
    struct error error = error_make(ERROR_STORE_UNAVAILABLE, "killed");
    command->done(command, &error);
}

/* It is done, and who asked does not get to know. */
static void lose_answer(struct fulfillment_command *command, const struct error *error)
{
    struct scene *scene = scene_of_unlucky;
    struct error lost = error_make(ERROR_STORE_UNAVAILABLE, "the connection broke");
    size_t i = 0;
    while (scene->unlucky[i].command != command)
        CHECK(++i < scene->unlucky_count);
    fulfillment_done *done = scene->unlucky[i].done;
    scene->unlucky[i] = scene->unlucky[--scene->unlucky_count];
    scene->lost_by_store++;
    done(command, error == NULL ? &lost : error);
}

static void execute(struct fulfillment_repository *repository, struct fulfillment_command *command)
{
    struct process *process = process_of_repository(repository);
    struct scene *scene = process->scene;
    bool is_lost = below(scene, 1000) < scene->lost_by_store_permille;
    bool arrives = below(scene, 2) == 0;
    if (is_lost && arrives && !process->is_killed && scene->unlucky_count < calls_max) {
        scene->unlucky[scene->unlucky_count].command = command;
        scene->unlucky[scene->unlucky_count++].done = command->done;
        fulfillment_repository_execute(scene->kit.repository, command, lose_answer);
        return;
    }
    if (process->is_killed || is_lost) {
        command->task.run = fail_command;
        executor_post(command->executor, &command->task);
        return;
    }
    fulfillment_repository_execute(scene->kit.repository, command, command->done);
}

static void start_process(struct process *process)
{
    struct order_driver_options options = order_driver_options_default();
    options.repository = &process->repository;
    options.services = &process->services;
    options.executor = &process->executor.base;
    options.clock = &process->scene->kit.clock.base;
    options.random = &process->scene->random.base;
    options.runs_max = 8;
    process->is_killed = false;
    process->driver = order_driver_create(&options);
    CHECK(process->driver != NULL);
}

static void answer_call(struct scene *scene, size_t index)
{
    struct order_call *call = scene->calls[index].call;
    bool is_killed = scene->calls[index].process->is_killed;
    scene->calls[index] = scene->calls[--scene->call_count];
    if (is_killed) {
        call->outcome = CALL_UNAVAILABLE;
        call->refusal = (struct order_refusal){.kind = REFUSAL_UNAVAILABLE};
    } else {
        order_world_answer(&scene->world, call);
    }
    call->done(call);
}

/* What it had under way comes to an end, without effect; then another one starts in its place. */
static void kill_process(struct process *process)
{
    struct scene *scene = process->scene;
    process->is_killed = true;
    order_driver_stop(process->driver);
    do { /* also what is in its mail */
        for (size_t i = scene->call_count; i-- > 0;) {
            if (scene->calls[i].process == process)
                answer_call(scene, i);
        }
        fulfillment_kit_step(&scene->kit);
        (void)test_executor_run_all(&process->executor);
        fake_clock_advance(&scene->kit.clock, 20000000); /* who waits for others gives up */
        order_world_pass(&scene->world, 20000000);
        order_driver_tick(process->driver);
    } while (!order_driver_is_idle(process->driver) ||
             test_executor_run_all(&process->executor) > 0); /* its mail dies with it */
    order_driver_destroy(process->driver);
    scene->kills++;
    start_process(process);
}

/* --- customers --- */

static void customer_answered(struct order_job *job, const struct error *error)
{
    struct customer *customer =
        (struct customer *)(void *)((char *)job - offsetof(struct customer, job));
    customer->is_waiting = false;
    bool is_open =
        error != NULL || job->answer == ORDER_ANSWER_BUSY ||
        (job->answer == ORDER_ANSWER_REFUSED && job->order.refusal.kind == REFUSAL_UNAVAILABLE);
    if (is_open)
        return; /* asked again */
    if (customer->step == WANTS_PROMISE)
        customer->step = job->answer == ORDER_ANSWER_ORDER ? WANTS_MORE : IS_DONE;
    else
        customer->granted++;
    if (customer->step == WANTS_MORE && customer->granted == customer->wish_count)
        customer->step = IS_DONE;
}

static void ask(struct customer *customer, enum order_job_kind kind)
{
    struct scene *scene = customer->scene;
    struct process *process = &scene->processes[below(scene, process_count)];
    arena_reset(&customer->arena);
    customer->job = (struct order_job){
        .kind = kind,
        .executor = &scene->kit.executor.base,
        .arena = &customer->arena,
        .order_id = text_of(customer->order_id),
        .reason = text_of("changed"),
    };
    if (kind == ORDER_JOB_PROMISE) {
        struct order *request = order_world_order(&customer->arena, customer->order_id);
        request->state = (enum order_state)0;
        customer->job.request = request;
    }
    customer->is_waiting = true;
    order_driver_submit(process->driver, &customer->job, customer_answered);
}

static void go_shopping(struct customer *customer)
{
    if (customer->is_waiting || customer->step == IS_DONE)
        return;
    ask(customer,
        customer->step == WANTS_PROMISE ? ORDER_JOB_PROMISE : customer->wish[customer->granted]);
}

static void make_customer(struct scene *scene, size_t index)
{
    struct customer *customer = &scene->customers[index];
    customer->scene = scene;
    snprintf(customer->order_id, sizeof customer->order_id, "o%zu", index);
    arena_init(&customer->arena, 16 * 1024 * 1024);
    customer->wish_count = (unsigned)below(scene, 3);
    for (unsigned i = 0; i < 2; i++)
        customer->wish[i] = below(scene, 3) == 0 ? ORDER_JOB_CANCEL : ORDER_JOB_CONFIRM;
}

/* --- the scheduler --- */

static bool all_are_done(const struct scene *scene)
{
    for (size_t i = 0; i < order_count; i++) {
        if (scene->customers[i].step != IS_DONE || scene->customers[i].is_waiting)
            return false;
    }
    return true;
}

static void pass(struct scene *scene, int64_t duration_us)
{
    fake_clock_advance(&scene->kit.clock, duration_us);
    order_world_pass(&scene->world, duration_us);
}

static void one_thing(struct scene *scene)
{
    struct process *process = &scene->processes[below(scene, process_count)];
    switch (below(scene, 7)) {
    case 0:
        fulfillment_kit_step(&scene->kit);
        break;
    case 1:
        (void)test_executor_run_all(&process->executor);
        break;
    case 2:
        (void)test_executor_run_all(&scene->kit.executor);
        break;
    case 3:
        if (scene->call_count > 0)
            answer_call(scene, below(scene, scene->call_count));
        break;
    case 4:
        order_driver_tick(process->driver);
        break;
    case 5:
        go_shopping(&scene->customers[below(scene, order_count)]);
        break;
    default:
        pass(scene, (int64_t)below(scene, 300000));
        if (below(scene, 1000) < scene->kill_permille)
            kill_process(process);
        break;
    }
}

static bool is_at_rest(struct scene *scene)
{
    struct list_due_command *due =
        fulfillment_kit_command(&scene->kit, COMMAND_LIST_DUE, sizeof *due);
    due->count_max = 1;
    if (scene->call_count > 0 || fulfillment_kit_ask(&scene->kit, &due->base) != FULFILLMENT_DONE)
        return false;
    bool is_idle = due->order_count == 0;
    for (size_t i = 0; i < process_count; i++)
        is_idle = is_idle && order_driver_is_idle(scene->processes[i].driver);
    return is_idle;
}

static const struct order *get(struct scene *scene, const char *order_id)
{
    struct get_order_command *command =
        fulfillment_kit_command(&scene->kit, COMMAND_GET_ORDER, sizeof *command);
    command->order_id = text_of(order_id);
    if (fulfillment_kit_ask(&scene->kit, &command->base) != FULFILLMENT_DONE)
        return NULL;
    return &command->order;
}

/* Whether anything is on its way: an order that its process has not brought to rest. */
static bool is_moving(const struct order *order)
{
    return order != NULL && order->goal != GOAL_NONE && order->state != ORDER_NEEDS_ATTENTION;
}

static void run_until_rest(struct scene *scene)
{
    for (unsigned i = 0; i < rounds_max; i++) {
        one_thing(scene);
        if (i % 64 != 0 || !all_are_done(scene) || !is_at_rest(scene))
            continue;
        bool moves = false;
        for (size_t k = 0; k < order_count; k++)
            moves = moves || is_moving(get(scene, scene->customers[k].order_id));
        if (!moves)
            return;
        pass(scene, 1000000);
    }
    fail_msg("seed %llu: orders do not come to rest", (unsigned long long)running_seed);
}

/* A person sees to what needs one, when carriers are well again. */
static void see_to_attention(struct scene *scene)
{
    for (size_t i = 0; i < order_count; i++) {
        struct customer *customer = &scene->customers[i];
        const struct order *order = get(scene, customer->order_id);
        if (order == NULL || order->state != ORDER_NEEDS_ATTENTION)
            continue;
        customer->step = WANTS_MORE;
        customer->granted = 0;
        customer->wish_count = 1;
        customer->wish[0] = order->goal == GOAL_CANCEL ? ORDER_JOB_CANCEL : ORDER_JOB_CONFIRM;
    }
    run_until_rest(scene);
}

static void assert_it_adds_up(struct scene *scene, unsigned ends[order_state_count])
{
    size_t confirmed = 0;
    pass(scene, INT64_C(600000000)); /* promises and what was lost on the way expire */
    for (size_t i = 0; i < order_count; i++) {
        const struct order *order = get(scene, scene->customers[i].order_id);
        enum order_state state = order == NULL ? ORDER_REFUSED : order->state;
        ends[state]++;
        confirmed += state == ORDER_CONFIRMED;
        if (state != ORDER_CONFIRMED && state != ORDER_CANCELLED && state != ORDER_EXPIRED &&
            state != ORDER_REFUSED)
            fail_msg("seed %llu: %s ended %s", (unsigned long long)running_seed,
                     scene->customers[i].order_id, order_state_name(state));
    }
    const size_t found[] = {
        order_world_pending(&scene->world), order_world_committed(&scene->world),
        order_world_allocations(&scene->world), order_world_labels(&scene->world),
        (size_t)(10 - scene->world.on_hand[0])};
    const size_t right[] = {0, confirmed, confirmed, 2 * confirmed, 2 * confirmed};
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        if (found[i] != right[i])
            fail_msg("seed %llu: %zu orders confirmed, count %zu is %zu",
                     (unsigned long long)running_seed, confirmed, i, found[i]);
    }
}

static unsigned play(uint64_t seed, unsigned ends[order_state_count], unsigned *lost_by_store)
{
    struct scene *scene = calloc(1, sizeof *scene);
    static const struct order_services_table services = {.call = call_service};
    static const struct fulfillment_repository_table repository = {.execute = execute};
    CHECK(scene != NULL);
    running_seed = seed;
    fulfillment_kit_init_stepped(&scene->kit);
    random_seeded_init(&scene->random, seed);
    order_world_init(&scene->world, &scene->random.base, fulfillment_kit_now_us(&scene->kit));
    scene->world.lost_requests_percent = (unsigned)below(scene, 15);
    scene->world.lost_answers_percent = (unsigned)below(scene, 15);
    scene->world.carrier_trouble_percent = (unsigned)below(scene, 50);
    scene->kill_permille = (unsigned)below(scene, 12);
    scene->lost_by_store_permille = (unsigned)below(scene, 100);
    scene_of_unlucky = scene;
    for (size_t i = 0; i < process_count; i++) {
        struct process *process = &scene->processes[i];
        process->services.table = &services;
        process->repository.table = &repository;
        process->scene = scene;
        test_executor_init(&process->executor);
        start_process(process);
    }
    for (size_t i = 0; i < order_count; i++)
        make_customer(scene, i);
    run_until_rest(scene);
    scene->world.carrier_trouble_percent = 0;
    scene->kill_permille = 0;
    scene->lost_by_store_permille = 0;
    see_to_attention(scene);
    assert_it_adds_up(scene, ends);
    unsigned kills = scene->kills;
    *lost_by_store += scene->lost_by_store;
    for (size_t i = 0; i < process_count; i++) {
        order_driver_destroy(scene->processes[i].driver);
        test_executor_deinit(&scene->processes[i].executor);
    }
    for (size_t i = 0; i < order_count; i++)
        arena_deinit(&scene->customers[i].arena);
    fulfillment_kit_deinit(&scene->kit);
    free(scene);
    return kills;
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);
    return value == NULL ? otherwise : strtoull(value, NULL, 10);
}

static void whatever_happens_it_adds_up(void **state)
{
    uint64_t first = number_of("SEED", 1);
    uint64_t count = getenv("SEED") != NULL ? 1 : number_of("SEEDS", 60);
    unsigned ends[order_state_count] = {0};
    unsigned kills = 0;
    unsigned lost = 0;
    (void)state;
    for (uint64_t seed = first; seed < first + count; seed++)
        kills += play(seed, ends, &lost);
    print_message("# %u confirmed, %u cancelled, %u expired, %u not promised; %u kills, %u answers "
                  "of the store lost\n",
                  ends[ORDER_CONFIRMED], ends[ORDER_CANCELLED], ends[ORDER_EXPIRED],
                  ends[ORDER_REFUSED], kills, lost);
    if (count > 1) { /* the test has seen what it is about */
        assert_true(ends[ORDER_CONFIRMED] > 0 && ends[ORDER_CANCELLED] > 0);
        assert_true(ends[ORDER_EXPIRED] > 0 && kills > 0 && lost > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(whatever_happens_it_adds_up)};
    int failed = cmocka_run_group_tests_name("order_orchestration", tests, NULL, NULL);
    if (failed != 0)
        fprintf(stderr, "# SEED=%llu replays it\n", (unsigned long long)running_seed);
    return failed;
}
