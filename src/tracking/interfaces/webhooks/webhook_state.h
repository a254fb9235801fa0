#ifndef WAYBILL_TRACKING_INTERFACES_WEBHOOKS_WEBHOOK_STATE_H
#define WAYBILL_TRACKING_INTERFACES_WEBHOOKS_WEBHOOK_STATE_H

#include "platform/base/buffer.h"
#include "platform/base/clock.h"
#include "platform/events/event.h"
#include "platform/http_client/http_client.h"
#include "platform/io/io_loop.h"
#include "tracking/interfaces/webhooks/tracking_webhooks.h"

#include <pthread.h>
#include <stdatomic.h>

/*
 * What the files of this folder share: one hook a subscription, all on one loop's thread.
 */
/* What was given up and is to be sent once more. */
struct hook_again {
    uint64_t sequence;
    char event_id[event_id_bytes_max + 1]; /* also when the log has it no more */
};

/* One subscription as it is served. Strings are owned. */
struct hook {
    struct hook *next;
    struct tracking_webhooks *webhooks;
    char id[tracking_id_bytes_max + 1];
    char url[subscription_url_bytes_max + 1];
    char secret[subscription_secret_bytes_max];
    size_t secret_size;
    uint32_t types;
    int64_t create_time_us;
    int64_t replay_from_us;
    uint64_t position; /* everything up to here has been sent or is not wanted */
    uint64_t saved;    /* the place last noted */
    uint64_t dead_letters;
    uint64_t counted;         /* dead letters found by the reload under way */
    struct hook_again *again; /* in order */
    size_t again_count;
    size_t again_at;          /* the next of them */
    struct hook_again *found; /* by the reload under way: what becomes `again` */
    size_t found_count;
    bool seen;     /* by the reload under way */
    bool loaded;   /* its place is known */
    bool sending;  /* its request is under way */
    bool gone;     /* its subscription is no more */
    bool gives_up; /* what is in the body becomes a dead letter when no reload is under way */
    bool is_again; /* what is in the body is again[again_at] */
    unsigned attempts;
    int64_t due_us;    /* by the monotonic clock; 0 = at once */
    uint64_t sequence; /* of what is in the body; 0 = nothing is */
    char event_id[event_id_bytes_max + 1];
    char reason[dead_letter_reason_bytes_max + 1]; /* why the last attempt failed */
    struct buffer body;
};

struct tracking_webhooks {
    struct tracking_webhooks_options options;
    struct io_loop loop;
    struct http_client *client;
    uv_timer_t timer;
    struct event_feed_watcher watcher;
    struct task reload_task;
    struct task pump_task;
    struct task stop_task;
    _Atomic bool reload_posted;
    _Atomic bool pump_posted;
    bool stopping;
    bool client_closed;
    bool stopped; /* under the mutex: nobody posts to the loop any more */
    bool drained; /* under the mutex */
    pthread_cond_t changed;
    bool reloading;
    bool reload_again;
    int64_t reload_due_us; /* after one that failed; 0 = none is due */
    size_t outstanding;    /* commands of ours in the repository */
    struct arena arena;    /* of one read of the feed */
    pthread_mutex_t mutex; /* guards the hooks' list and figures against other threads */
    struct hook *hooks;
    struct tracking_webhooks_usage usage;
};

/* --- webhook_delivery.c --- */

/* Sends what is due, of every hook. */
void webhook_pump(struct tracking_webhooks *webhooks);

/* Has that done in another turn of the loop. Any thread. */
void webhook_pump_later(struct tracking_webhooks *webhooks);

/* Writes a note, or removes it with an empty value; nobody waits for it. */
void webhook_write_note(struct tracking_webhooks *webhooks, const char *name, struct text value);

void webhook_init_body(struct hook *hook);

/* It has nothing under way. */
void webhook_destroy(struct hook *hook);

/* --- webhook_list.c --- */

/* Reads subscriptions, places and what was given up; the task of a change. */
void webhook_run_reload(struct task *task);

/* The hook of a subscription, or NULL; other threads hold the mutex. */
struct hook *webhook_find(struct tracking_webhooks *webhooks, struct text id);

#endif
