#ifndef WAYBILL_TESTS_LOAD_LOAD_CLIENT_H
#define WAYBILL_TESTS_LOAD_LOAD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the load generators speak: gRPC over HTTP/2 without TLS, one thread, many connections, as
 * fast as the server answers. It costs the server's cores as little as it can: bodies are framed by
 * the caller, answers are passed over unless somebody wants them. Whatever goes wrong with a
 * connection ends the program with 1.
 */

enum { load_connections_max = 1024, load_frame_size = 5 };

struct load_connection;

/* One call in flight; the owner's, who may begin it again from `finished`. */
struct load_call {
    struct load_connection *connection;
    const char *body; /* with its frame, load_frame */
    size_t body_size;
    size_t body_sent;
    uint64_t began_ns;
    int status;            /* -1 = no trailer seen */
    unsigned char *answer; /* with its frame; NULL = passed over */
    size_t answer_room;    /* what is longer is cut */
    size_t answer_size;
};

struct load_client {
    const char *path; /* of the calls begun from now on */
    unsigned in_flight;
    void (*finished)(struct load_call *call);
    unsigned connection_count;
    struct load_connection *connections;
    char authority[64];
};

_Noreturn void load_give_up(const char *what, const char *why);

uint64_t load_now_ns(void);

/* The five bytes before a message of that size. */
void load_frame(char body[load_frame_size], size_t size);

/* False if that is no HOST:PORT (an IPv4 address). */
bool load_client_open(struct load_client *client, const char *address, unsigned connection_count);

struct load_connection *load_client_connection(struct load_client *client, unsigned index);

void load_call_begin(struct load_call *call);

/* Sends what has been begun. */
void load_client_flush(struct load_client *client);

/* Waits for answers, at most a second; hands them out, and sends what was begun meanwhile. */
void load_client_turn(struct load_client *client);

#endif
