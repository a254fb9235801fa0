/* The door of fulfillment_door.h served by the client and server of rpc_memory_kit.h. */
#include "tests/support/fulfillment/fulfillment_rpc_kit.h"

#include <string.h>

static void work(void *context)
{
    fulfillment_door_work(&((struct fulfillment_rpc_kit *)context)->door);
}

int fulfillment_rpc_kit_set_up(void **state)
{
    static struct fulfillment_rpc_kit kit;
    memset(&kit, 0, sizeof kit);
    fulfillment_door_open(&kit.door);
    arena_init(&kit.arena, 1024 * 1024);
    kit.rpc = (struct rpc_memory_kit){
        .trial = *state,
        .service = fulfillment_rpc_service(&kit.door.door),
        .work = work,
        .clock = &kit.door.books.clock.base,
        .context = &kit,
    };
    rpc_memory_kit_open(&kit.rpc);
    *state = &kit;
    return 0;
}

int fulfillment_rpc_kit_tear_down(void **state)
{
    struct fulfillment_rpc_kit *kit = *state;
    order_watch_stop(kit->door.watch);
    rpc_memory_kit_close(&kit->rpc);
    fulfillment_door_close(&kit->door);
    arena_deinit(&kit->arena);
    return 0;
}
