/* A map under a mutex; entered and left once a connection, so nobody waits for it. */
#include "platform/http/http_peers.h"

#include "platform/base/hash_map.h"
#include "platform/base/memory.h"

#include <netinet/in.h>
#include <pthread.h>
#include <string.h>

struct http_peer {
    struct in6_addr address;
    uint32_t connections;
    uint64_t hash;
};

struct http_peers {
    pthread_mutex_t mutex;
    struct hash_map by_address;
    uint32_t connections_max;
};

struct http_peers *http_peers_create(uint32_t connections_max)
{
    struct http_peers *peers = memory_allocate_zero(1, sizeof *peers);
    if (peers == NULL)
        return NULL;
    pthread_mutex_init(&peers->mutex, NULL);
    hash_map_init(&peers->by_address);
    peers->connections_max = connections_max;
    return peers;
}

void http_peers_destroy(struct http_peers *peers)
{
    if (peers == NULL)
        return;
    hash_map_deinit(&peers->by_address);
    pthread_mutex_destroy(&peers->mutex);
    memory_release(peers);
}

/* IPv4 as it is mapped into IPv6. */
static struct in6_addr address_of(const struct sockaddr_storage *address)
{
    struct in6_addr result = {.s6_addr = {[10] = 0xFF, [11] = 0xFF}};
    if (address->ss_family == AF_INET6)
        return ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    memcpy(result.s6_addr + 12, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    return result;
}

static bool has_address(void *context, uint64_t value)
{
    const struct http_peer *peer = (const struct http_peer *)(uintptr_t)value;
    return memcmp(&peer->address, context, sizeof peer->address) == 0;
}

static struct http_peer *enter(struct http_peers *peers, struct in6_addr address)
{
    uint64_t value;
    uint64_t hash = hash_text(0, text_make(&address, sizeof address));
    if (hash_map_find(&peers->by_address, hash, has_address, &address, &value)) {
        struct http_peer *known = (struct http_peer *)(uintptr_t)value;
        if (known->connections == peers->connections_max)
            return NULL;
        known->connections++;
        return known;
    }
    struct http_peer *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL || !hash_map_reserve(&peers->by_address, 1)) {
        memory_release(made);
        return NULL;
    }
    *made = (struct http_peer){.address = address, .connections = 1, .hash = hash};
    hash_map_add(&peers->by_address, hash, (uint64_t)(uintptr_t)made);
    return made;
}

struct http_peer *http_peers_enter(struct http_peers *peers, const struct sockaddr_storage *address)
{
    pthread_mutex_lock(&peers->mutex);
    struct http_peer *peer = enter(peers, address_of(address));
    pthread_mutex_unlock(&peers->mutex);
    return peer;
}

void http_peers_leave(struct http_peers *peers, struct http_peer *peer)
{
    if (peer == NULL)
        return;
    pthread_mutex_lock(&peers->mutex);
    if (--peer->connections == 0) {
        hash_map_remove(&peers->by_address, peer->hash, (uint64_t)(uintptr_t)peer);
        memory_release(peer);
    }
    pthread_mutex_unlock(&peers->mutex);
}
