/* The post is the push's memory, so that it lives until the store has answered. */
#include "shipping/interfaces/webhooks/carrier_webhooks.h"

#include <stdio.h>
#include <string.h>

/* On the post's arena. */
struct posted_push {
    struct shipping_push push; /* first */
    struct http_post *post;
};

static void answer(struct shipping_push *push)
{
    struct http_post *post = ((struct posted_push *)push)->post;
    switch (push->verdict) {
    case SHIPPING_PUSH_KEPT:
        http_post_answer(post, 200, "kept\n");
        break;
    case SHIPPING_PUSH_REFUSED:
        http_post_answer(post, 401, "not authentic\n");
        break;
    case SHIPPING_PUSH_UNAVAILABLE:
        http_post_answer(post, 503, "not kept; send it again\n");
        break;
    }
}

static void take(void *context, struct http_post *post)
{
    const struct carrier_webhook_route *route = context;
    struct posted_push *posted = arena_allocate_zero(&post->arena, 1, sizeof *posted);
    struct carrier_header *headers =
        arena_allocate_zero(&post->arena, post->header_count + 1, sizeof *headers);
    if (posted == NULL || headers == NULL) {
        http_post_answer(post, 503, "not enough memory\n");
        return;
    }
    for (size_t i = 0; i < post->header_count; i++)
        headers[i] = (struct carrier_header){post->headers[i].name, post->headers[i].value};
    posted->post = post;
    posted->push = (struct shipping_push){
        .executor = post->executor,
        .arena = &post->arena,
        .carrier = text_of(route->carrier),
        .webhook = {.headers = headers, .header_count = post->header_count, .body = post->body},
        .done = answer,
    };
    shipping_service_keep_push(route->service, &posted->push);
}

/* A carrier that would push, but has no account here. */
static void refuse_unknown(void *context, struct http_post *post)
{
    (void)context;
    http_post_answer(post, 404, "no account or secret for this carrier is configured\n");
}

static void add_route(struct carrier_webhooks *webhooks, struct shipping_service *service,
                      const char *carrier, http_post_function *function)
{
    struct carrier_webhook_route *route = &webhooks->carriers[webhooks->count];
    route->service = service;
    snprintf(route->carrier, sizeof route->carrier, "%s", carrier);
    snprintf(route->path, sizeof route->path, "/webhooks/%s", carrier);
    webhooks->routes[webhooks->count++] = (struct http_route){
        .path = route->path,
        .context = route,
        .take = function,
        .body_bytes_max = shipping_webhook_bytes_max,
    };
}

static bool has_route(const struct carrier_webhooks *webhooks, const char *carrier)
{
    for (size_t i = 0; i < webhooks->count; i++) {
        if (strcmp(webhooks->carriers[i].carrier, carrier) == 0)
            return true;
    }
    return false;
}

void carrier_webhooks_init(struct carrier_webhooks *webhooks, struct shipping_service *service,
                           struct carrier *const *carriers, size_t carrier_count)
{
    static const char *const pushing[] = {"ups", "fedex", "dhl"};
    memset(webhooks, 0, sizeof *webhooks);
    for (size_t i = 0; i < carrier_count && i < shipping_carriers_max; i++) {
        if (carriers[i]->capabilities.webhooks)
            add_route(webhooks, service, carriers[i]->name, take);
    }
    for (size_t i = 0; i < sizeof pushing / sizeof pushing[0]; i++) {
        if (!has_route(webhooks, pushing[i]))
            add_route(webhooks, service, pushing[i], refuse_unknown);
    }
}
