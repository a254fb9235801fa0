#ifndef WAYBILL_MAIN_REPLAY_STATE_REPLAY_OPTIONS_H
#define WAYBILL_MAIN_REPLAY_STATE_REPLAY_OPTIONS_H

#include "main/replay/data/replay_places.h"
#include "main/replay/plan/replay_plan.h"
#include "main/replay/pump/call_pump.h"
#include "platform/base/clock.h"
#include "platform/storage/file_system.h"

#include <stddef.h>
#include <uv.h>

/* What a replay is made with; everything it points to lives as long as the replay. */
struct replay_options {
    uv_loop_t *loop;
    struct clock *clock;
    struct file_system *file_system;
    const struct replay_plan *plan;
    const struct replay_places *places;    /* NULL: only inventory takes part */
    const char *server;                    /* "HOST:PORT" */
    const struct call_pump_server *others; /* services that are elsewhere */
    size_t other_count;
    const struct tls_settings *tls; /* to all of them; NULL = plain */
    const char *progress_path;      /* texts and `others` live as long as the replay */
};

#endif
