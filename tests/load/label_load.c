/*
 * How long a label takes, format by format: the first of a thread, then the middle and the worst of
 * many; of the processor, for other programs share it. One parcel, a Latin address, then a Chinese
 * one. Not a test: nothing is asserted.
 *
 *   label_load [labels of each kind]
 */
#include "platform/base/check.h"
#include "shipping/infrastructure/labels/label_drawer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { labels_max = 100000 };

static int64_t times[labels_max];

static int64_t microseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int by_size(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

static void measure(const char *name, struct label_request *request, size_t count)
{
    struct buffer content;
    buffer_init(&content, label_content_bytes_max);
    for (size_t i = 0; i < count; i++) {
        int64_t begin = microseconds();
        buffer_clear(&content);
        CHECK(!error_is(label_draw(label_drawer_local(), request, &content)));
        times[i] = microseconds() - begin;
    }
    int64_t first = times[0];
    qsort(times, count, sizeof times[0], by_size);
    printf("%-14s %7zu bytes, first %6.2f ms, p50 %6.3f ms, p99 %6.3f ms\n", name, content.size,
           (double)first / 1000, (double)times[count / 2] / 1000,
           (double)times[count - 1 - count / 100] / 1000);
    buffer_deinit(&content);
}

int main(int argument_count, char **arguments)
{
    size_t count = argument_count > 1 ? strtoull(arguments[1], NULL, 10) : 500;
    struct shipping_address origin = {.name = text_of("Central warehouse"),
                                      .lines = {text_of("Torstraße 1")},
                                      .line_count = 1,
                                      .city = text_of("Berlin"),
                                      .postal_code = text_of("10115"),
                                      .country_code = text_of("DE")};
    struct shipping_address latin = {.name = text_of("Zoë Łukasiewicz"),
                                     .company = text_of("A shop"),
                                     .lines = {text_of("1 Rue de l'Été"), text_of("Bâtiment C")},
                                     .line_count = 2,
                                     .city = text_of("Paris"),
                                     .postal_code = text_of("75001"),
                                     .country_code = text_of("FR")};
    struct shipping_address chinese = {.name = text_of("王小明"),
                                       .lines = {text_of("朝阳区建国路1号")},
                                       .line_count = 1,
                                       .city = text_of("北京"),
                                       .postal_code = text_of("100022"),
                                       .country_code = text_of("CN")};
    struct shipping_parcel parcel = {.weight_grams = 2000};
    struct text number = text_of("WB12345678901234567890014");
    struct label_request request = {.carrier = text_of("tariff"),
                                    .service_name = text_of("EXPRESS"),
                                    .shipment_id = text_of("order-1"),
                                    .reference = text_of("PO 4711"),
                                    .origin = &origin,
                                    .ship_date = "2026-11-25",
                                    .parcels = &parcel,
                                    .parcel_count = 1,
                                    .tracking_numbers = &number,
                                    .tracking_number_count = 1};
    static const char *const formats[] = {
        [SHIPPING_LABEL_PDF] = "PDF", [SHIPPING_LABEL_ZPL] = "ZPL", [SHIPPING_LABEL_PNG] = "PNG"};
    CHECK(count >= 1 && count <= labels_max);
    for (size_t i = 0; i < 3; i++) {
        char name[32];
        request.format = (enum shipping_label_format)i;
        request.destination = &latin;
        snprintf(name, sizeof name, "%s, Latin", formats[i]);
        measure(name, &request, count);
        request.destination = &chinese;
        snprintf(name, sizeof name, "%s, Chinese", formats[i]);
        measure(name, &request, count);
    }
    return 0;
}
