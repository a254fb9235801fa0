#ifndef WAYBILL_TRACKING_INTERFACES_POLLING_POLL_STATE_H
#define WAYBILL_TRACKING_INTERFACES_POLLING_POLL_STATE_H

#include "platform/base/clock.h"
#include "platform/io/io_loop.h"
#include "tracking/interfaces/polling/tracking_polls.h"

#include <pthread.h>
#include <stdatomic.h>

/* What the files of this folder share; all of it belongs to the loop's thread. */

enum {
    poll_carriers_max = 64,
    poll_round_questions_max = 10000,
    poll_carrier_questions_max = 4, /* at once */
};

/* A carrier as far as it is asked. */
struct poll_carrier {
    char name[tracking_carrier_bytes_max + 1];
    int64_t day;           /* that `used` is of */
    int64_t used;          /* questions of its quota */
    int64_t not_before_us; /* monotonic: it is left alone until then */
    int64_t pause_us;      /* for how long when it next fails */
    uint32_t questions;    /* under way */
};

/* A parcel to be asked about. */
struct poll {
    struct poll *next;
    struct poll_carrier *carrier;
    char tracking_number[tracking_id_bytes_max + 1];
    int64_t expected_delivery_time_us; /* as known */
    int64_t due_us;                    /* monotonic */
    unsigned attempts;
};

enum poll_phase {
    POLL_LOADING, /* the note is read */
    POLL_WAITING, /* for the next round */
    POLL_LISTING, /* what is due is listed, … */
    POLL_NOTING,  /* … then what it takes of the quotas noted */
    POLL_ASKING,
};

struct tracking_polls {
    struct tracking_polls_options options;
    struct io_loop loop;
    struct rpc_client *client;
    uv_timer_t timer;
    struct task stop_task;
    bool stopping;
    bool client_closed;
    bool drained; /* under the mutex */
    bool stopped; /* the thread has ended */
    pthread_cond_t changed;
    pthread_mutex_t mutex; /* guards `drained` and `usage` */
    size_t outstanding;    /* commands of ours in the repository, and questions */
    enum poll_phase phase;
    int64_t next_us;       /* monotonic: of the next round, or of the next try to load */
    int64_t done_until_us; /* everything that was due until then has been asked about */
    int64_t round_us;      /* until when this round goes */
    struct poll_carrier carriers[poll_carriers_max];
    size_t carrier_count;
    struct poll *polls; /* of this round, in no order */
    size_t poll_count;
    struct tracking_polls_usage usage;
};

/* --- poll_round.c --- */

/* Begins with the note; then a round when it is time. */
void poll_load(struct tracking_polls *polls);
void poll_begin_round(struct tracking_polls *polls);

/* Takes one question of the carrier's quota; false: there is none left now. */
bool poll_take_of_quota(struct tracking_polls *polls, struct poll_carrier *carrier);

/* Notes what was taken of the quotas, where nobody waits for it. */
void poll_note_quotas(struct tracking_polls *polls);

/* All has been asked: notes it and waits for the next round. */
void poll_end_round(struct tracking_polls *polls);

/* --- poll_question.c --- */

/* Asks what is due now; drops what its carrier will not be asked soon. */
void poll_ask_due(struct tracking_polls *polls);

/* --- tracking_polls.c --- */

int64_t poll_now_us(void);
void poll_count(struct tracking_polls *polls, uint64_t *counter, uint64_t more);

#endif
