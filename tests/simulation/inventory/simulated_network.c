/*
 * A pool of messages, each in one of three places. Some questions are spoiled so that the use cases
 * must refuse them; such a question must never reach the store (the audited port checks that).
 */
#include "tests/simulation/inventory/simulated_network.h"

#include "platform/base/check.h"

enum { patience_rounds = 6, attempts_max = 5 };

static uint64_t below(struct simulated_network *network, uint64_t bound)
{
    return random_below(network->random, bound);
}

static bool chance(struct simulated_network *network, unsigned percent)
{
    return below(network, 100) < percent;
}

void simulated_network_init(struct simulated_network *network, struct random *random,
                            struct inventory_workload *workload, struct executor *executor)
{
    *network = (struct simulated_network){
        .random = random,
        .workload = workload,
        .executor = executor,
    };
    network->client_count = 1 + (size_t)below(network, clients_max);
    network->loss_percent = (unsigned)below(network, 12);
}

static void free_message(struct message *message)
{
    inventory_call_deinit(&message->call);
    message->state = MESSAGE_FREE;
}

void simulated_network_deinit(struct simulated_network *network)
{
    for (size_t i = 0; i < messages_max; i++) {
        if (network->messages[i].state != MESSAGE_FREE)
            free_message(&network->messages[i]);
    }
    for (size_t i = 0; i < network->client_count; i++) {
        if (network->clients[i].busy)
            inventory_call_deinit(&network->clients[i].wanted);
    }
}

/* Puts the client's question on the wire; where the wire is full it is lost. */
static void put_on_wire(struct simulated_network *network, size_t client)
{
    for (size_t i = 0; i < messages_max; i++) {
        struct message *message = &network->messages[i];
        if (message->state != MESSAGE_FREE)
            continue;
        message->state = MESSAGE_TO_SERVICE;
        message->client = client;
        message->errand = network->clients[client].errand;
        inventory_call_init(&message->call, &network->clients[client].wanted.question);
        return;
    }
}

static void begin_errand(struct simulated_network *network, struct simulated_client *client)
{
    inventory_call_init(&client->wanted, inventory_workload_next(network->workload, false));
    client->busy = true;
    client->errand++;
    client->attempts_left = 1 + (unsigned)below(network, attempts_max);
    client->patience = 0;
}

static void end_errand(struct simulated_client *client)
{
    inventory_call_deinit(&client->wanted);
    client->busy = false;
}

void simulated_network_send(struct simulated_network *network)
{
    for (size_t i = 0; i < network->client_count; i++) {
        struct simulated_client *client = &network->clients[i];
        if (!client->busy && chance(network, 60))
            begin_errand(network, client);
        if (!client->busy)
            continue;
        if (client->patience > 0) {
            client->patience--;
            continue;
        }
        if (client->attempts_left == 0) { /* it will never know */
            end_errand(client);
            continue;
        }
        client->attempts_left--;
        client->patience = 1 + (unsigned)below(network, patience_rounds);
        put_on_wire(network, i);
        if (chance(network, 5))
            put_on_wire(network, i);
    }
}

/* One of the rules of the fields is broken. */
static void spoil(struct simulated_network *network, struct inventory_call *call)
{
    struct inventory_question spoiled = call->question;
    struct quantity_line lines[inventory_lines_max];
    struct inventory_call valid = *call;
    static const char *const bad_ids[] = {"", "with space", "ümlaut", "semi;colon", "a/b"};
    for (size_t i = 0; i < spoiled.line_count; i++)
        lines[i] = spoiled.lines[i];
    spoiled.lines = lines;
    if (spoiled.line_count > 0 && chance(network, 50)) {
        struct quantity_line *line = &lines[below(network, spoiled.line_count)];
        if (chance(network, 50))
            line->quantity = chance(network, 50) ? 0 : -5;
        else
            line->sku = text_of(" outer space ");
    } else {
        spoiled.id = text_of(bad_ids[below(network, sizeof bad_ids / sizeof bad_ids[0])]);
    }
    inventory_call_init(call, &spoiled);
    inventory_call_deinit(&valid);
}

static bool has_id(const struct inventory_call *call)
{
    switch (call->question.kind) {
    case CALL_RECEIVE_STOCK:
    case CALL_ADJUST_STOCK:
    case CALL_RESERVE:
    case CALL_COMMIT:
    case CALL_ROLLBACK:
    case CALL_EXTEND_RESERVATION:
    case CALL_RETURN_STOCK:
    case CALL_GET_RESERVATION:
        return true;
    case CALL_SET_STOCK_POLICY:
    case CALL_GET_STOCK:
    case CALL_BATCH_GET_STOCK:
    case CALL_LIST_STOCK:
    case CALL_LIST_RESERVATIONS:
    case CALL_LIST_STOCK_ENTRIES:
    case CALL_VERIFY_LEDGER:
    case CALL_FOLLOW_SHELF:
    case CALL_GET_SHELF_PLACE:
        return false;
    }
    return false;
}

static void deliver_one(struct simulated_network *network, struct message *message,
                        struct inventory_service *service)
{
    bool spoiled = has_id(&message->call) && chance(network, 1);
    if (spoiled)
        spoil(network, &message->call);
    message->state = MESSAGE_AT_SERVICE;
    if (inventory_call_submit(&message->call, service, network->executor)) {
        CHECK(!spoiled);
        return;
    }
    network->refused++;
    free_message(message);
}

void simulated_network_deliver(struct simulated_network *network, struct inventory_service *service)
{
    size_t first = (size_t)below(network, messages_max); /* so that any may overtake any */
    for (size_t i = 0; i < messages_max; i++) {
        struct message *message = &network->messages[(first + i) % messages_max];
        if (message->state != MESSAGE_TO_SERVICE || chance(network, 30))
            continue;
        if (chance(network, network->loss_percent))
            free_message(message);
        else
            deliver_one(network, message, service);
    }
}

void simulated_network_answer(struct simulated_network *network)
{
    for (size_t i = 0; i < messages_max; i++) {
        struct message *message = &network->messages[i];
        if (message->state != MESSAGE_AT_SERVICE || !message->call.is_answered)
            continue;
        struct simulated_client *client = &network->clients[message->client];
        bool waits = client->busy && client->errand == message->errand;
        if (waits && !chance(network, network->loss_percent)) {
            inventory_workload_observe(network->workload, &message->call);
            network->answered++;
            if (!error_is(message->call.error) || !error_may_retry(message->call.error.code))
                end_errand(client);
        }
        free_message(message);
    }
}

void simulated_network_break(struct simulated_network *network)
{
    for (size_t i = 0; i < messages_max; i++) {
        if (network->messages[i].state == MESSAGE_AT_SERVICE)
            free_message(&network->messages[i]);
    }
}
