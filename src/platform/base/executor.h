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

#endif
