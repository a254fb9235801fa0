/*
 * Made on the main thread while the loop stands still, used on the loop's thread alone, and taken
 * apart there: first nothing is sent any more, then the client ends what was sent, then, when the
 * use cases have written down what they heard, the adapters go.
 */
#include "main/modules/shipping_carriers.h"

#include "main/carrier_names.h"
#include "platform/base/clock.h"
#include "platform/base/memory.h"
#include "platform/io/io_loop.h"
#include "platform/storage/file_system.h"
#include "shipping/infrastructure/tariff/tariff_carrier.h"

#include <stdio.h>
#include <string.h>

enum { http_carriers_max = 3, carriers_max = http_carriers_max + 1 };

struct shipping_carriers {
    struct shipping_carriers_listener listener;
    struct dependency_list *dependencies;
    struct io_loop loop;
    struct io_loop drawing;
    bool has_loop;
    bool has_drawing;
    bool has_timer;
    uv_timer_t timer;
    struct http_client *client;
    struct http_carrier *http[http_carriers_max];
    size_t http_count;
    struct tariff *tariff;
    struct carrier *tariff_carrier;
    struct carrier *all[carriers_max];
    size_t count;
    struct task stop;
    pthread_mutex_t mutex; /* guards `ended` */
    pthread_cond_t changed;
    bool ended;
};

/* --- settings --- */

struct http_choice {
    const struct carrier_protocol *protocol;
    const struct carrier_configuration *settings;
};

static void list_choices(const struct configuration *configuration,
                         struct http_choice choices[http_carriers_max])
{
    choices[0] = (struct http_choice){&ups_protocol, &configuration->ups};
    choices[1] = (struct http_choice){&fedex_protocol, &configuration->fedex};
    choices[2] = (struct http_choice){&dhl_protocol, &configuration->dhl};
}

/* The next name of a list with spaces and commas; false at the end. */
static bool next_name(const char **at, struct text *name)
{
    *at += strspn(*at, ", ");
    *name = text_make(*at, strcspn(*at, ", "));
    *at += name->size;
    return name->size > 0;
}

static bool is_named(const char *list, const char *name)
{
    struct text one;
    while (next_name(&list, &one)) {
        if (text_equals_string(one, name))
            return true;
    }
    return false;
}

/* An empty list names the tariff and whoever has an account. */
static bool is_wanted(const struct configuration *configuration, const struct http_choice *choice)
{
    if (configuration->carriers[0] == '\0')
        return choice->settings->client_id[0] != '\0';
    return is_named(configuration->carriers, choice->protocol->name);
}

static bool wants_tariff(const struct configuration *configuration)
{
    return configuration->carriers[0] == '\0' || is_named(configuration->carriers, "tariff");
}

static struct error check_url(const struct http_choice *choice, const char *setting,
                              const char *url)
{
    if (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0)
        return error_none();
    return error_make(ERROR_INVALID_SETTING, "%s_%s: %.200s is no URL of http or https",
                      choice->protocol->name, setting, url);
}

/* Unified Tracking has an address and a key, or neither: one alone would be passed over. */
static struct error check_tracking(const struct http_choice *choice)
{
    const struct carrier_configuration *settings = choice->settings;
    bool has_url = settings->tracking_base_url[0] != '\0';
    bool has_key = settings->tracking_key[0] != '\0';
    if (has_url != has_key)
        return error_make(ERROR_INVALID_SETTING, "%s_tracking_%s: is needed with %s_tracking_%s",
                          choice->protocol->name, has_url ? "key" : "base_url",
                          choice->protocol->name, has_url ? "base_url" : "key");
    return has_url ? check_url(choice, "tracking_base_url", settings->tracking_base_url)
                   : error_none();
}

/*
 * An account of which all is there but its client_id is not meant to be passed over, unless
 * `carriers` leaves it out by name.
 */
static struct error check_absent_account(const struct configuration *configuration,
                                         const struct http_choice *choice)
{
    const struct carrier_configuration *settings = choice->settings;
    const struct {
        const char *value;
        const char *name;
    } given[] = {
        {settings->client_secret, "client_secret"},
        {settings->account_number, "account_number"},
        {settings->webhook_secret, "webhook_secret"},
        {settings->tracking_base_url, "tracking_base_url"},
        {settings->tracking_key, "tracking_key"},
    };
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        if (configuration->carriers[0] == '\0' && given[i].value[0] != '\0')
            return error_make(ERROR_INVALID_SETTING,
                              "%s_client_id: is needed with %s_%s; without it %s is not asked",
                              choice->protocol->name, choice->protocol->name, given[i].name,
                              choice->protocol->name);
    }
    return error_none();
}

static struct error check_account(const struct http_choice *choice)
{
    const struct carrier_configuration *settings = choice->settings;
    const struct {
        const char *value;
        const char *name;
    } needed[] = {
        {settings->base_url, "base_url"},
        {settings->client_id, "client_id"},
        {settings->client_secret, "client_secret"},
        {settings->account_number, "account_number"},
    };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (needed[i].value[0] == '\0')
            return error_make(ERROR_INVALID_SETTING, "%s_%s: is needed to ship with %s",
                              choice->protocol->name, needed[i].name, choice->protocol->name);
    }
    struct error error = check_url(choice, "base_url", settings->base_url);
    return error_is(error) ? error : check_tracking(choice);
}

struct error shipping_carriers_check(const struct configuration *configuration)
{
    struct http_choice choices[http_carriers_max];
    const char *at = configuration->carriers;
    struct error error = error_none();
    struct text name;
    size_t wanted = wants_tariff(configuration);
    list_choices(configuration, choices);
    while (!error_is(error) && next_name(&at, &name))
        error = carrier_name_check("carriers", name);
    for (size_t i = 0; i < http_carriers_max && !error_is(error); i++) {
        bool is_one = is_wanted(configuration, &choices[i]);
        error =
            is_one ? check_account(&choices[i]) : check_absent_account(configuration, &choices[i]);
        wanted += is_one;
    }
    if (!error_is(error) && wanted == 0)
        error = error_make(ERROR_INVALID_SETTING, "carriers: names none");
    return error;
}

/* NULL for an empty setting. */
static const char *text_or_null(const char *setting)
{
    return setting[0] == '\0' ? NULL : setting;
}

static struct carrier_settings settings_of(const struct carrier_configuration *from)
{
    struct carrier_settings settings = carrier_settings_default();
    settings.base_url = from->base_url;
    settings.client_id = from->client_id;
    settings.client_secret = from->client_secret;
    settings.account_number = from->account_number;
    settings.tracking_base_url = text_or_null(from->tracking_base_url);
    settings.tracking_key = text_or_null(from->tracking_key);
    settings.webhook_secret = text_or_null(from->webhook_secret);
    settings.calls_at_once_max = (uint32_t)from->calls_at_once_max;
    settings.calls_per_second_max = (uint32_t)from->calls_per_second_max;
    settings.calls_per_day_max = (uint32_t)from->calls_per_day_max;
    return settings;
}

/* --- opening --- */

static struct error open_http(struct shipping_carriers *carriers, const struct http_choice *choice)
{
    const struct carrier_settings settings = settings_of(choice->settings);
    const struct http_carrier_environment environment = {
        .loop = &carriers->loop.loop,
        .client = carriers->client,
        .clock = clock_system(),
        .random = random_system(),
        .audit = carriers->listener.audit,
        .audit_context = carriers->listener.context,
    };
    struct http_carrier *made;
    struct error error = http_carrier_create(&made, choice->protocol, &settings, &environment);
    if (error_is(error))
        return error;
    carriers->http[carriers->http_count++] = made;
    carriers->all[carriers->count++] = http_carrier_port(made);
    dependency_list_add(carriers->dependencies, http_carrier_dependency(made));
    return error;
}

static struct error open_tariff(struct shipping_carriers *carriers,
                                const struct configuration *configuration)
{
    struct error error = configuration->tariff_cards[0] == '\0'
                             ? tariff_create_built_in(&carriers->tariff)
                             : tariff_create_from_directory(&carriers->tariff, file_system_posix(),
                                                            configuration->tariff_cards);
    if (!error_is(error))
        error = tariff_carrier_create(&carriers->tariff_carrier, carriers->tariff,
                                      &carriers->loop.base);
    if (!error_is(error))
        carriers->all[carriers->count++] = carriers->tariff_carrier;
    return error_prefix(error, "tariff");
}

static struct error open_loops(struct shipping_carriers *carriers)
{
    struct http_client_options options = http_client_options_default();
    options.connections_max = 256;
    options.connections_per_host_max = 128;
    struct error error = io_loop_init(&carriers->loop);
    carriers->has_loop = !error_is(error);
    if (!error_is(error)) {
        uv_timer_init(&carriers->loop.loop, &carriers->timer);
        carriers->timer.data = carriers;
        carriers->has_timer = true;
        error = http_client_create(&carriers->client, &carriers->loop.loop, &options);
    }
    if (!error_is(error)) {
        error = io_loop_init(&carriers->drawing);
        carriers->has_drawing = !error_is(error);
    }
    return error;
}

struct error shipping_carriers_open(struct shipping_carriers **carriers,
                                    const struct configuration *configuration,
                                    struct dependency_list *dependencies,
                                    const struct shipping_carriers_listener *listener)
{
    struct http_choice choices[http_carriers_max];
    struct shipping_carriers *made = memory_allocate_zero(1, sizeof *made);
    *carriers = made;
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "carriers");
    made->listener = *listener;
    made->dependencies = dependencies;
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->changed, NULL);
    list_choices(configuration, choices);
    struct error error = open_loops(made);
    for (size_t i = 0; i < http_carriers_max && !error_is(error); i++) {
        if (is_wanted(configuration, &choices[i]))
            error = open_http(made, &choices[i]);
    }
    if (!error_is(error) && wants_tariff(configuration))
        error = open_tariff(made, configuration);
    return error;
}

struct carrier *const *shipping_carriers_all(struct shipping_carriers *carriers, size_t *count)
{
    *count = carriers->count;
    return carriers->all;
}

struct executor *shipping_carriers_executor(struct shipping_carriers *carriers)
{
    return &carriers->loop.base;
}

struct executor *shipping_carriers_drawing(struct shipping_carriers *carriers)
{
    return &carriers->drawing.base;
}

struct error shipping_carriers_run(struct shipping_carriers *carriers)
{
    struct error error = io_loop_start(&carriers->loop);
    return error_is(error) ? error : io_loop_start(&carriers->drawing);
}

/* --- the alarm --- */

static void ring(uv_timer_t *timer)
{
    struct shipping_carriers *carriers = timer->data;
    carriers->listener.alarm(carriers->listener.context);
}

void shipping_carriers_set_alarm(struct shipping_carriers *carriers, int64_t monotonic_us)
{
    int64_t delay_us = monotonic_us - clock_monotonic_us(clock_system());
    if (carriers->ended)
        return;
    uv_update_time(&carriers->loop.loop);
    uv_timer_start(&carriers->timer, ring, delay_us <= 0 ? 0 : (uint64_t)((delay_us + 999) / 1000),
                   0);
}

/* --- the end --- */

/* Once on the loop's thread, or on the main thread when that never ran. */
static void take_apart(struct shipping_carriers *carriers)
{
    for (size_t i = 0; i < carriers->http_count; i++) {
        dependency_list_remove(carriers->dependencies, http_carrier_dependency(carriers->http[i]));
        http_carrier_close(carriers->http[i]);
    }
    carriers->http_count = 0;
    tariff_carrier_close(carriers->tariff_carrier);
    carriers->tariff_carrier = NULL;
    if (carriers->has_timer)
        uv_close((uv_handle_t *)&carriers->timer, NULL);
    carriers->has_timer = false;
}

static void close_client(struct shipping_carriers *carriers)
{
    for (size_t i = 0; i < carriers->http_count; i++)
        http_carrier_stop(carriers->http[i]);
    if (carriers->client != NULL)
        http_client_close(carriers->client, NULL, NULL);
    carriers->client = NULL;
}

static void begin_to_stop(struct task *task)
{
    struct shipping_carriers *carriers =
        (struct shipping_carriers *)(void *)((char *)task -
                                             offsetof(struct shipping_carriers, stop));
    close_client(carriers);
    carriers->listener.stop(carriers->listener.context);
}

void shipping_carriers_ended(struct shipping_carriers *carriers)
{
    take_apart(carriers);
    pthread_mutex_lock(&carriers->mutex);
    carriers->ended = true;
    pthread_cond_signal(&carriers->changed);
    pthread_mutex_unlock(&carriers->mutex);
}

void shipping_carriers_stop(struct shipping_carriers *carriers)
{
    if (!carriers->loop.running)
        return;
    carriers->stop.run = begin_to_stop;
    executor_post(&carriers->loop.base, &carriers->stop);
    pthread_mutex_lock(&carriers->mutex);
    while (!carriers->ended)
        pthread_cond_wait(&carriers->changed, &carriers->mutex);
    pthread_mutex_unlock(&carriers->mutex);
    io_loop_stop(&carriers->loop);
    io_loop_stop(&carriers->drawing);
}

void shipping_carriers_close(struct shipping_carriers *carriers)
{
    if (carriers == NULL)
        return;
    if (!carriers->ended && carriers->has_loop) { /* it never ran */
        close_client(carriers);
        take_apart(carriers);
    }
    if (carriers->has_loop)
        io_loop_deinit(&carriers->loop);
    if (carriers->has_drawing)
        io_loop_deinit(&carriers->drawing);
    tariff_destroy(carriers->tariff);
    pthread_cond_destroy(&carriers->changed);
    pthread_mutex_destroy(&carriers->mutex);
    memory_release(carriers);
}
