#ifndef WAYBILL_TESTS_SIMULATION_INVENTORY_SIMULATED_NETWORK_H
#define WAYBILL_TESTS_SIMULATION_INVENTORY_SIMULATED_NETWORK_H

#include "inventory/application/inventory_service.h"
#include "platform/base/random.h"
#include "tests/simulation/inventory/inventory_workload.h"
#include "tests/support/inventory/inventory_call.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Clients and the wires between them and the service. Each client has one thing to do at a time and
 * sends it 1 to 5 times until it hears an answer; the network loses, doubles, delays and reorders
 * both questions and answers. Thread: one.
 */
enum { clients_max = 12, messages_max = 96 };

enum message_state { MESSAGE_FREE, MESSAGE_TO_SERVICE, MESSAGE_AT_SERVICE };

struct message {
    enum message_state state;
    size_t client;
    uint64_t errand; /* of the client */
    struct inventory_call call;
};

struct simulated_client {
    bool busy;
    uint64_t errand; /* counts what it did */
    unsigned attempts_left;
    unsigned patience;            /* rounds until it sends again */
    struct inventory_call wanted; /* only its question is used */
};

struct simulated_network {
    struct random *random;
    struct inventory_workload *workload;
    struct executor *executor;
    size_t client_count;
    unsigned loss_percent;
    struct simulated_client clients[clients_max];
    struct message messages[messages_max];
    uint64_t refused;  /* questions that the use cases found invalid */
    uint64_t answered; /* answers that reached their client */
};

/* Draws how many clients there are and how bad the wires. */
void simulated_network_init(struct simulated_network *network, struct random *random,
                            struct inventory_workload *workload, struct executor *executor);
void simulated_network_deinit(struct simulated_network *network);

/* Idle clients think of something; those that wait too long send again or give up. */
void simulated_network_send(struct simulated_network *network);

/* Brings some of the questions under way to the service, in any order. */
void simulated_network_deliver(struct simulated_network *network,
                               struct inventory_service *service);

/* Brings the answers there are back to the clients, or loses them. */
void simulated_network_answer(struct simulated_network *network);

/* The process died: what was at the service is gone. */
void simulated_network_break(struct simulated_network *network);

#endif
