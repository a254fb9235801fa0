/*
 * A timer looks at the shipments for steps that are due and at the waiting pushes for those that
 * are. A push without memory is lost, as a real carrier's may be; polling finds the scan.
 */
#include "carrier_simulator/simulator_pushes.h"

#include "platform/base/base64.h"
#include "platform/base/hexadecimal.h"
#include "platform/base/memory.h"
#include "platform/json/json_writer.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { tick_ms = 50, attempts_max = 4, body_bytes_max = 16 * 1024 };
static const int64_t second_us = 1000000;

/* ----------------------------------------------------------------------------------- the bodies */

static const char *city_of(const struct simulator_push *push)
{
    return simulator_steps[push->step].at_destination ? push->shipment->destination_city
                                                      : push->shipment->origin_city;
}

static const char *country_of(const struct simulator_push *push)
{
    return simulator_steps[push->step].at_destination ? push->shipment->destination_country
                                                      : push->shipment->origin_country;
}

static void write_ups(const struct simulator_push *push, struct json_writer *json)
{
    const struct simulator_step *step = &simulator_steps[push->step];
    char date[9], clock[7];
    simulator_date(push->event_time_us, date);
    simulator_clock(push->event_time_us, clock);
    json_open_object(json, NULL);
    json_put_string(json, "trackingNumber", push->shipment->numbers[push->parcel]);
    json_put_string(json, "localActivityDate", date);
    json_put_string(json, "localActivityTime", clock);
    json_open_object(json, "activityLocation");
    json_put_string(json, "city", city_of(push));
    json_put_string(json, "country", country_of(push));
    json_close_object(json);
    json_open_object(json, "activityStatus");
    json_put_string(json, "type", step->ups_type);
    json_put_string(json, "code", step->ups_code);
    json_put_string(json, "description", step->description);
    json_put_integer(json, "descriptionCode", strtol(step->ups_status, NULL, 10));
    json_close_object(json);
    json_put_string(json, "gmtActivityDate", date);
    json_put_string(json, "gmtActivityTime", clock);
    json_close_object(json);
}

static void write_fedex(const struct simulator_push *push, struct json_writer *json)
{
    const struct simulator_step *step = &simulator_steps[push->step];
    const char *number = push->shipment->numbers[push->parcel];
    char iso[20], date[28];
    simulator_iso(push->event_time_us, iso);
    snprintf(date, sizeof date, "%s+00:00", iso);
    json_open_object(json, NULL);
    json_put_string(json, "transactionId", "simulated");
    json_open_object(json, "output");
    json_open_array(json, "completeTrackResults");
    json_open_object(json, NULL);
    json_put_string(json, "trackingNumber", number);
    json_open_array(json, "trackResults");
    json_open_object(json, NULL);
    json_open_array(json, "scanEvents");
    json_open_object(json, NULL);
    json_put_string(json, "date", date);
    json_put_string(json, "eventType", step->fedex_code);
    json_put_string(json, "eventDescription", step->description);
    json_open_object(json, "scanLocation");
    json_put_string(json, "city", city_of(push));
    json_put_string(json, "countryCode", country_of(push));
    json_close_object(json);
    json_close_object(json);
    json_close_array(json);
    json_close_object(json);
    json_close_array(json);
    json_close_object(json);
    json_close_array(json);
    json_close_object(json);
    json_close_object(json);
}

static void write_dhl(const struct simulator_push *push, struct json_writer *json)
{
    const struct simulator_step *step = &simulator_steps[push->step];
    char iso[20], stamp[24];
    simulator_iso(push->event_time_us, iso);
    snprintf(stamp, sizeof stamp, "%sZ", iso);
    json_open_object(json, NULL);
    json_put_string(json, "scope", "subscription.push");
    json_open_array(json, "shipments");
    json_open_object(json, NULL);
    json_put_string(json, "id", push->shipment->number);
    json_put_string(json, "service", "express");
    json_open_object(json, "status");
    json_put_string(json, "timestamp", stamp);
    json_put_string(json, "statusCode",
                    strcmp(step->dhl_code, "OK") == 0 ? "delivered" : "transit");
    json_put_string(json, "description", step->description);
    json_open_object(json, "location");
    json_open_object(json, "address");
    json_put_string(json, "addressLocality", city_of(push));
    json_put_string(json, "countryCode", country_of(push));
    json_close_object(json);
    json_close_object(json);
    json_close_object(json);
    json_close_object(json);
    json_close_array(json);
    json_close_object(json);
}

/* Base64, or hexadecimal for every other one: FedEx's page allows to read it either way. */
static void sign(const char *secret, struct text body, bool hexadecimal, char signature[65])
{
    unsigned char mac[EVP_MAX_MD_SIZE] = {0};
    unsigned size = 0;
    HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)body.data, body.size,
         mac, &size);
    if (!hexadecimal) {
        base64_encode(text_make((const char *)mac, 32), true, signature);
        return;
    }
    hexadecimal_write(mac, 32, signature);
}

/* ---------------------------------------------------------------------------------- the sending */

static void wait_again(struct simulator_push *push, int64_t delay_us)
{
    push->due_us = simulator_now_us(push->pushes->simulator) + delay_us;
    push->next = push->pushes->waiting;
    push->pushes->waiting = push;
}

static void on_answer(void *context, const struct http_client_answer *answer)
{
    struct simulator_push *push = context;
    bool taken =
        answer->verdict == HTTP_CLIENT_ANSWERED && answer->status >= 200 && answer->status < 300;
    push->pushes->simulator->pushes_accepted += taken;
    if (taken || push->pushes->closing || ++push->attempts >= attempts_max)
        memory_release(push);
    else
        wait_again(push, push->attempts * second_us);
}

static void send_push(struct simulator_push *push)
{
    static void (*const writers[])(const struct simulator_push *,
                                   struct json_writer *) = {write_ups, write_fedex, write_dhl};
    static const char *const names[] = {"credential", "fdx-signature", "x-dhl-token"};
    const struct simulator_options *options = &push->pushes->simulator->options;
    enum simulator_carrier carrier = push->shipment->carrier;
    const char *secret = options->push_secret == NULL ? "" : options->push_secret;
    char url[1024], signature[65];
    struct buffer body;
    struct json_writer json;
    buffer_init(&body, body_bytes_max);
    json_writer_init(&json, &body);
    writers[carrier](push, &json);
    if (carrier == SIMULATOR_FEDEX)
        sign(secret, buffer_text(&body), push->step % 2 == 1, signature);
    snprintf(url, sizeof url, "%s/%s", options->push_url, simulator_carrier_name(carrier));
    const struct http_client_header headers[] = {
        {text_of("content-type"), text_of("application/json")},
        {text_of(names[carrier]), text_of(carrier == SIMULATOR_FEDEX ? signature : secret)},
    };
    struct http_client_request request = {
        .method = text_of("POST"),
        .url = text_of(url),
        .headers = headers,
        .header_count = 2,
        .body = buffer_text(&body),
        .connect_us_max = 5 * second_us,
        .total_us_max = 15 * second_us,
        .answer_bytes_max = 64 * 1024,
    };
    struct error error = json.failed
                             ? error_make(ERROR_OUT_OF_MEMORY, "a push")
                             : http_client_send(push->pushes->client, &request, on_answer, push);
    buffer_deinit(&body);
    push->pushes->simulator->pushes_sent++;
    if (error_is(error))
        memory_release(push);
}

static void add_push(struct simulator_pushes *pushes, const struct simulator_push *like,
                     int64_t delay_us)
{
    struct simulator_push *push = memory_allocate(sizeof *push);
    if (push == NULL)
        return;
    *push = *like;
    wait_again(push, delay_us);
    (void)pushes;
}

/* True once in a fault rate. */
static bool goes_wrong(struct simulator *simulator)
{
    return random_below(&simulator->random.base, 1000000) < simulator->options.fault_millionths;
}

static void add_step(struct simulator_pushes *pushes, const struct simulator_shipment *shipment,
                     size_t step, int64_t time_us)
{
    struct simulator *simulator = pushes->simulator;
    size_t parcels = shipment->carrier == SIMULATOR_DHL ? 1 : shipment->parcel_count;
    for (size_t i = 0; i < parcels; i++) {
        struct simulator_push like = {.pushes = pushes,
                                      .shipment = shipment,
                                      .parcel = i,
                                      .step = step,
                                      .event_time_us = time_us};
        int64_t late =
            goes_wrong(simulator) ? (int64_t)random_below(&simulator->random.base, 3000000) : 0;
        add_push(pushes, &like, late);
        if (goes_wrong(simulator))
            add_push(pushes, &like, (int64_t)random_below(&simulator->random.base, 2000000));
    }
}

static void look_for_steps(struct simulator_pushes *pushes)
{
    struct simulator *simulator = pushes->simulator;
    int64_t now = simulator_now_us(simulator), time_us;
    for (size_t i = pushes->looked_at; i < simulator->shipment_count; i++) {
        struct simulator_shipment *one = simulator->shipments[i];
        while (one->pushed_steps < simulator_step_count) {
            bool has = simulator_has_step(simulator, one, one->pushed_steps, &time_us);
            if (has && time_us > now)
                break;
            if (has)
                add_step(pushes, one, one->pushed_steps, time_us);
            one->pushed_steps++;
        }
        if (i == pushes->looked_at && one->pushed_steps == simulator_step_count)
            pushes->looked_at++;
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct simulator_pushes *pushes = timer->data;
    struct simulator_push *push = pushes->waiting, *later = NULL;
    int64_t now = simulator_now_us(pushes->simulator);
    look_for_steps(pushes);
    push = pushes->waiting;
    pushes->waiting = NULL;
    while (push != NULL) {
        struct simulator_push *next = push->next;
        if (push->due_us <= now) {
            send_push(push);
        } else {
            push->next = later;
            later = push;
        }
        push = next;
    }
    while (later != NULL) {
        struct simulator_push *next = later->next;
        later->next = pushes->waiting;
        pushes->waiting = later;
        later = next;
    }
}

void simulator_pushes_open(struct simulator_pushes *pushes, struct simulator *simulator,
                           struct http_client *client, uv_loop_t *loop)
{
    *pushes = (struct simulator_pushes){.simulator = simulator, .client = client};
    uv_timer_init(loop, &pushes->timer);
    pushes->timer.data = pushes;
    if (simulator->options.push_url != NULL)
        uv_timer_start(&pushes->timer, on_tick, tick_ms, tick_ms);
}

void simulator_pushes_close(struct simulator_pushes *pushes)
{
    pushes->closing = true;
    while (pushes->waiting != NULL) {
        struct simulator_push *next = pushes->waiting->next;
        memory_release(pushes->waiting);
        pushes->waiting = next;
    }
    uv_close((uv_handle_t *)&pushes->timer, NULL);
}
