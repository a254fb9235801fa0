/* A list under a mutex that is held while watchers are woken: after removal none is called. */
#include "platform/events/event_watchers.h"

#include "platform/base/check.h"

void event_watchers_init(struct event_watchers *watchers)
{
    pthread_mutex_init(&watchers->mutex, NULL);
    watchers->first = NULL;
}

void event_watchers_deinit(struct event_watchers *watchers)
{
    CHECK(watchers->first == NULL);
    pthread_mutex_destroy(&watchers->mutex);
}

void event_watchers_add(struct event_watchers *watchers, struct event_feed_watcher *watcher)
{
    pthread_mutex_lock(&watchers->mutex);
    watcher->previous = NULL;
    watcher->next = watchers->first;
    if (watcher->next != NULL)
        watcher->next->previous = watcher;
    watchers->first = watcher;
    pthread_mutex_unlock(&watchers->mutex);
}

void event_watchers_remove(struct event_watchers *watchers, struct event_feed_watcher *watcher)
{
    pthread_mutex_lock(&watchers->mutex);
    if (watcher->previous != NULL)
        watcher->previous->next = watcher->next;
    else
        watchers->first = watcher->next;
    if (watcher->next != NULL)
        watcher->next->previous = watcher->previous;
    pthread_mutex_unlock(&watchers->mutex);
}

void event_watchers_wake(struct event_watchers *watchers)
{
    pthread_mutex_lock(&watchers->mutex);
    for (struct event_feed_watcher *watcher = watchers->first; watcher != NULL;
         watcher = watcher->next)
        watcher->wake(watcher->context);
    pthread_mutex_unlock(&watchers->mutex);
}

uint64_t event_watchers_held(struct event_watchers *watchers)
{
    uint64_t held = UINT64_MAX;
    pthread_mutex_lock(&watchers->mutex);
    for (struct event_feed_watcher *watcher = watchers->first; watcher != NULL;
         watcher = watcher->next) {
        uint64_t position = atomic_load(&watcher->position);
        if (watcher->holds && position < held)
            held = position;
    }
    pthread_mutex_unlock(&watchers->mutex);
    return held;
}
