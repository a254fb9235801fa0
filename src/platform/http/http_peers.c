/*
 * A map of those connected and a table of those suspected, under a mutex: it is taken once when a
 * connection comes, once when it goes, and once for some twenty points.
 *
 * The table is as a cache's: a hash chooses four places, whose least suspect occupant makes room.
 * So many addresses cannot take memory, and who has few points cannot push out who has many.
 */
#include "platform/http/http_peers.h"

#include "platform/base/hash_map.h"
#include "platform/base/memory.h"
#include "platform/base/random.h"

#include <netinet/in.h>
#include <pthread.h>
#include <string.h>

enum { places_a_set = 4, set_count = 1024, network_bytes = 8 };

static const int64_t second_us = 1000000;

struct suspect {
    struct in6_addr address;
    int64_t time_us; /* when `points` was right */
    int32_t points;  /* 0 = nobody */
    bool barred;
};

struct http_peer {
    struct in6_addr address;
    uint32_t connections;
    uint64_t hash;
};

struct http_peers {
    struct http_peers_options options;
    uint64_t seed;
    pthread_mutex_t mutex;
    struct hash_map by_address;
    struct suspect suspects[set_count][places_a_set];
};

struct http_peers *http_peers_create(const struct http_peers_options *options)
{
    struct http_peers *peers = memory_allocate_zero(1, sizeof *peers);
    if (peers == NULL)
        return NULL;
    pthread_mutex_init(&peers->mutex, NULL);
    hash_map_init(&peers->by_address);
    peers->options = *options;
    peers->seed = random_uint64(random_system());
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

/* IPv4 as it is mapped into IPv6; of other IPv6 the network. */
static struct in6_addr address_of(const struct sockaddr_storage *address)
{
    struct in6_addr result = {.s6_addr = {[10] = 0xFF, [11] = 0xFF}};
    if (address->ss_family != AF_INET6) {
        const struct sockaddr_in *of = (const void *)address;
        memcpy(result.s6_addr + 12, &of->sin_addr, 4);
        return result;
    }
    result = ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    if (!IN6_IS_ADDR_V4MAPPED(&result))
        memset(result.s6_addr + network_bytes, 0, sizeof result - network_bytes);
    return result;
}

static bool is_same(const struct in6_addr *a, const struct in6_addr *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* --- points --- */

/* Lets points run off until now. */
static void settle(const struct http_peers *peers, struct suspect *suspect, int64_t now_us)
{
    int64_t rate = peers->options.points_per_second;
    int64_t since_us = now_us - suspect->time_us;
    int64_t all_gone_us = (suspect->points + 1) * second_us / rate;
    if (suspect->points == 0 || since_us < second_us / rate)
        return;
    int64_t off = since_us > all_gone_us ? suspect->points : since_us * rate / second_us;
    suspect->points = off < suspect->points ? suspect->points - (int32_t)off : 0;
    suspect->time_us += off * second_us / rate;
    if (suspect->points <= http_peer_points_max / 2)
        suspect->barred = false;
}

/* Its place, or the one it would take. */
static struct suspect *place_of(struct http_peers *peers, const struct in6_addr *address,
                                uint64_t hash, int64_t now_us)
{
    struct suspect *set = peers->suspects[hash % set_count];
    struct suspect *least = &set[0];
    for (int i = 0; i < places_a_set; i++) {
        settle(peers, &set[i], now_us);
        if (set[i].points > 0 && is_same(&set[i].address, address))
            return &set[i];
        if (set[i].points < least->points)
            least = &set[i];
    }
    return least;
}

static bool is_barred(struct http_peers *peers, const struct in6_addr *address, uint64_t hash,
                      int64_t now_us)
{
    if (peers->options.points_per_second == 0)
        return false;
    const struct suspect *place = place_of(peers, address, hash, now_us);
    return place->barred && is_same(&place->address, address);
}

static bool blame(struct http_peers *peers, const struct http_peer *peer, int32_t points,
                  int64_t now_us)
{
    struct suspect *place = place_of(peers, &peer->address, peer->hash, now_us);
    bool known = place->points > 0 && is_same(&place->address, &peer->address);
    if (!known && points <= place->points)
        return false;
    if (!known)
        *place = (struct suspect){.address = peer->address, .time_us = now_us};
    int64_t sum = (int64_t)place->points + points;
    if (sum > http_peer_points_kept_max)
        sum = http_peer_points_kept_max;
    place->points = sum > 0 ? (int32_t)sum : 0;
    if (place->points > http_peer_points_max)
        place->barred = true;
    else if (place->points <= http_peer_points_max / 2)
        place->barred = false;
    return place->barred;
}

bool http_peers_blame(struct http_peers *peers, const struct http_peer *peer, int32_t points,
                      int64_t now_us)
{
    if (peers->options.points_per_second == 0)
        return false;
    pthread_mutex_lock(&peers->mutex);
    bool barred = blame(peers, peer, points, now_us);
    pthread_mutex_unlock(&peers->mutex);
    return barred;
}

/* --- connections --- */

static bool has_address(void *context, uint64_t value)
{
    return is_same(&((const struct http_peer *)(uintptr_t)value)->address, context);
}

static struct http_peer *add(struct http_peers *peers, const struct in6_addr *address,
                             uint64_t hash)
{
    struct http_peer *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL || !hash_map_reserve(&peers->by_address, 1)) {
        memory_release(made);
        return NULL;
    }
    *made = (struct http_peer){.address = *address, .connections = 1, .hash = hash};
    hash_map_add(&peers->by_address, hash, (uint64_t)(uintptr_t)made);
    return made;
}

static enum http_peers_verdict enter(struct http_peers *peers, struct in6_addr address,
                                     int64_t now_us, struct http_peer **peer)
{
    uint32_t connections_max = peers->options.connections_max;
    uint64_t hash = hash_text(peers->seed, text_make(&address, sizeof address));
    uint64_t value;
    if (is_barred(peers, &address, hash, now_us))
        return HTTP_PEERS_BARRED;
    if (!hash_map_find(&peers->by_address, hash, has_address, &address, &value)) {
        *peer = add(peers, &address, hash);
        return *peer == NULL ? HTTP_PEERS_FULL : HTTP_PEERS_WELCOME;
    }
    struct http_peer *known = (struct http_peer *)(uintptr_t)value;
    if (connections_max > 0 && known->connections >= connections_max)
        return HTTP_PEERS_FULL;
    known->connections++;
    *peer = known;
    return HTTP_PEERS_WELCOME;
}

enum http_peers_verdict http_peers_enter(struct http_peers *peers,
                                         const struct sockaddr_storage *address, int64_t now_us,
                                         struct http_peer **peer)
{
    *peer = NULL;
    pthread_mutex_lock(&peers->mutex);
    enum http_peers_verdict verdict = enter(peers, address_of(address), now_us, peer);
    pthread_mutex_unlock(&peers->mutex);
    return verdict;
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
