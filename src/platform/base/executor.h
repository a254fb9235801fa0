#ifndef WAYBILL_PLATFORM_BASE_EXECUTOR_H
#define WAYBILL_PLATFORM_BASE_EXECUTOR_H

/*
 * Where completions run: the thread that asked. An I/O loop is an executor; so is a plain list in a
 * test. An adapter has `struct executor` as its first member.
 */

/* Something to run later. The owner keeps it alive until it runs; it is in one list at a time. */
struct task {
    struct task *next;
    void (*run)(struct task *task);
};

struct executor;

struct executor_table {
    void (*post)(struct executor *executor, struct task *first, struct task *last);
};

struct executor {
    const struct executor_table *table;
};

/*
 * Has the chain first → … → last (linked by next) run in that order, each once, on the executor's
 * thread, and never before this function returns. Cannot fail. Thread: any. One call with a long
 * chain is much cheaper than many calls.
 */
static inline void executor_post_chain(struct executor *executor, struct task *first,
                                       struct task *last)
{
    executor->table->post(executor, first, last);
}

static inline void executor_post(struct executor *executor, struct task *task)
{
    task->next = 0;
    executor->table->post(executor, task, task);
}

/*
 * Collects completions in their order and posts one chain for each run of the same executor.
 * Zeroed = empty; completion_run_post gives the last run away. Thread: one.
 */
struct completion_run {
    struct executor *executor;
    struct task *first;
    struct task *last;
};

static inline void completion_run_post(struct completion_run *run)
{
    if (run->first != 0)
        executor_post_chain(run->executor, run->first, run->last);
    run->first = 0;
}

static inline void completion_run_add(struct completion_run *run, struct executor *executor,
                                      struct task *task)
{
    task->next = 0;
    if (run->executor != executor)
        completion_run_post(run);
    if (run->first == 0)
        run->first = task;
    else
        run->last->next = task;
    run->last = task;
    run->executor = executor;
}

#endif
