/*
 * Goal: a label is a pure function of its request, refuses what cannot be drawn, and no word from
 * outside becomes a command of the printer. Method: the same request again, after others and in
 * another thread; each field beyond its limit; random words in ZPL, whose commands are then counted
 * (WAYBILL_SEED replays); every allocation of ours failing once. What is on the page is read back
 * by programs that are not ours: tests/carriers/label_test.py.
 */
#include "shipping/infrastructure/labels/label_drawer.h"

#include "platform/base/memory.h"
#include "platform/base/random.h"
#include "shipping/infrastructure/labels/label_country.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const enum shipping_label_format formats[] = {SHIPPING_LABEL_PDF, SHIPPING_LABEL_ZPL,
                                                     SHIPPING_LABEL_PNG};
enum { formats_count = sizeof formats / sizeof formats[0] };

struct sample {
    struct shipping_address origin;
    struct shipping_address destination;
    struct shipping_parcel parcels[shipping_parcels_max];
    struct text numbers[shipping_parcels_max];
    struct label_request request;
};

static void make_sample(struct sample *sample)
{
    *sample = (struct sample){
        .origin = {.name = text_of("Warehouse"), .country_code = text_of("DE")},
        .destination = {.name = text_of("Zoë 王小明"),
                        .lines = {text_of("شارع التحرير 12"), text_of("1 Rue de l'Été")},
                        .line_count = 2,
                        .city = text_of("Paris"),
                        .postal_code = text_of("75001"),
                        .country_code = text_of("FR")},
    };
    for (size_t i = 0; i < shipping_parcels_max; i++) {
        sample->parcels[i].weight_grams = 1000 + (int64_t)i;
        sample->numbers[i] =
            text_of(i % 2 ? "WB12345678901234567890024" : "WB12345678901234567890014");
    }
    sample->request = (struct label_request){.carrier = text_of("tariff"),
                                             .service_name = text_of("EXPRESS"),
                                             .shipment_id = text_of("order-1"),
                                             .reference = text_of("PO 4711"),
                                             .origin = &sample->origin,
                                             .destination = &sample->destination,
                                             .ship_date = "2026-11-25",
                                             .parcels = sample->parcels,
                                             .parcel_count = 2,
                                             .tracking_numbers = sample->numbers,
                                             .tracking_number_count = 2};
}

static void draw(const struct label_request *request, struct buffer *content)
{
    buffer_init(content, label_content_bytes_max);
    struct error error = label_draw(label_drawer_local(), request, content);
    if (error_is(error))
        fail_msg("%s", error.detail);
    assert_true(content->size > 0);
}

static void *draw_in_a_thread(void *context)
{
    struct sample sample;
    struct buffer *contents = context;
    make_sample(&sample);
    for (size_t i = 0; i < formats_count; i++) {
        sample.request.format = formats[i];
        draw(&sample.request, &contents[i]);
    }
    return NULL;
}

static void the_same_request_gives_the_same_bytes(void **state)
{
    enum { threads = 4 };
    struct buffer first[formats_count], other[formats_count], theirs[threads][formats_count];
    pthread_t thread[threads];
    struct sample sample;
    (void)state;
    draw_in_a_thread(first);
    make_sample(&sample);
    sample.destination.name = text_of("Somebody else");
    for (size_t i = 0; i < formats_count; i++) {
        sample.request.format = formats[i];
        draw(&sample.request, &other[i]);
        assert_false(text_equal(buffer_text(&first[i]), buffer_text(&other[i])));
        buffer_deinit(&other[i]);
    }
    for (size_t i = 0; i < threads; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, draw_in_a_thread, theirs[i]), 0);
    for (size_t i = 0; i < threads; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        for (size_t f = 0; f < formats_count; f++) {
            assert_true(text_equal(buffer_text(&first[f]), buffer_text(&theirs[i][f])));
            buffer_deinit(&theirs[i][f]);
        }
    }
    for (size_t f = 0; f < formats_count; f++)
        buffer_deinit(&first[f]);
}

static void the_largest_shipment_fits_the_limit(void **state)
{
    static char long_text[label_text_bytes_max + 1];
    struct sample sample;
    struct buffer content;
    (void)state;
    make_sample(&sample);
    for (size_t i = 0; i + 3 <= label_text_bytes_max; i += 3)
        memcpy(long_text + i, "京", 3);
    struct text *texts[] = {&sample.destination.name, &sample.destination.city,
                            &sample.destination.lines[0], &sample.origin.name,
                            &sample.request.reference};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i] = text_of(long_text);
    sample.request.parcel_count = sample.request.tracking_number_count = shipping_parcels_max;
    for (size_t i = 0; i < formats_count; i++) {
        sample.request.format = formats[i];
        draw(&sample.request, &content);
        buffer_deinit(&content);
    }
}

/* Refused, and what was in the content is still there. */
static void refused(const struct sample *sample, enum error_code code, size_t content_bytes_max)
{
    struct buffer content;
    buffer_init(&content, content_bytes_max);
    assert_true(buffer_append_string(&content, "before"));
    for (size_t i = 0; i < formats_count; i++) {
        struct label_request request = sample->request;
        request.format = formats[i];
        struct error error = label_draw(label_drawer_local(), &request, &content);
        if (error.code != code)
            fail_msg("%s", error.detail);
        assert_true(text_equals_string(buffer_text(&content), "before"));
    }
    buffer_deinit(&content);
}

static void wrong_numbers(struct text number)
{
    struct sample sample;
    make_sample(&sample);
    sample.numbers[1] = number;
    refused(&sample, ERROR_INVALID_INPUT, label_content_bytes_max);
}

static void what_cannot_be_drawn_is_refused(void **state)
{
    static char long_text[label_text_bytes_max + 2];
    struct sample sample;
    (void)state;
    memset(long_text, 'x', label_text_bytes_max + 1);
    wrong_numbers(text_of(""));
    wrong_numbers(text_of("WB12^XZ"));
    wrong_numbers(text_of("wb12"));
    wrong_numbers(text_of("WB 12"));
    wrong_numbers(text_of("1234567890123456789012345678901"));
    const struct text bad[] = {text_of("a\nb"),      text_of("\xC3"),    text_of("\xED\xA0\x80"),
                               text_make("a\0b", 3), text_of(long_text), text_of("\xC2\x85")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct text *const places[] = {
            &sample.destination.name,        &sample.destination.company,
            &sample.destination.phone,       &sample.destination.lines[1],
            &sample.destination.city,        &sample.destination.region,
            &sample.destination.postal_code, &sample.origin.country_code,
            &sample.request.carrier,         &sample.request.service_name,
            &sample.request.shipment_id,     &sample.request.reference};
        for (size_t place = 0; place < sizeof places / sizeof places[0]; place++) {
            make_sample(&sample);
            *places[place] = bad[i];
            refused(&sample, ERROR_INVALID_INPUT, label_content_bytes_max);
        }
    }
    make_sample(&sample);
    sample.request.only = 3;
    refused(&sample, ERROR_INVALID_INPUT, label_content_bytes_max);
    make_sample(&sample);
    sample.request.parcel_count = 3;
    refused(&sample, ERROR_INVALID_INPUT, label_content_bytes_max);
    make_sample(&sample);
    sample.request.parcel_count = sample.request.tracking_number_count = 0;
    refused(&sample, ERROR_INVALID_INPUT, label_content_bytes_max);
    make_sample(&sample);
    sample.parcels[0].weight_grams = -1;
    refused(&sample, ERROR_INVALID_INPUT, label_content_bytes_max);
    make_sample(&sample);
    memset(sample.request.ship_date, '1', sizeof sample.request.ship_date);
    refused(&sample, ERROR_INVALID_INPUT, label_content_bytes_max);
}

static void a_content_that_is_too_small_is_told(void **state)
{
    struct sample sample;
    (void)state;
    make_sample(&sample);
    refused(&sample, ERROR_LIMIT, 1000);
    refused(&sample, ERROR_LIMIT, 6);
}

static void without_memory_there_is_no_label_and_no_half_of_one(void **state)
{
    struct sample sample;
    (void)state;
    make_sample(&sample);
    for (size_t i = 0; i < formats_count; i++) {
        uint64_t failures = 0;
        sample.request.format = formats[i];
        for (;; failures++) {
            struct buffer content;
            buffer_init(&content, label_content_bytes_max);
            memory_fail_after(failures, 0);
            struct error error = label_draw(label_drawer_local(), &sample.request, &content);
            memory_fail_after(UINT64_MAX, 0);
            assert_int_equal(content.size == 0, error_is(error));
            buffer_deinit(&content);
            if (!error_is(error))
                break;
            assert_int_equal(error.code, ERROR_OUT_OF_MEMORY);
        }
        assert_true(failures > 3);
    }
}

/* ------------------------------------------------------------------------------------------- ZPL
 */

static size_t count_of(struct text content, const char *command)
{
    size_t count = 0, size = strlen(command);
    for (size_t at = 0; at + size <= content.size; at++)
        count += memcmp(content.data + at, command, size) == 0;
    return count;
}

static void make_words(struct random *random, char *out, size_t size)
{
    static const char *const pieces[] = {"^XZ", "~JA", "_5E", "^",  "~",       "_",  "^FS", "^FD",
                                         "\\&", "é",   "ß",   "Ł",  "–",       "ab", "WWW", " ",
                                         ",",   ">8",  "^CC", "京", "\"",      "'",  "<",   "%s",
                                         "M",   "حمد", "^FX", "٣",  "\xCC\x81"};
    size_t used = 0, wanted = random_below(random, 12);
    out[0] = '\0';
    for (size_t i = 0; i < wanted; i++) {
        const char *piece = pieces[random_below(random, sizeof pieces / sizeof pieces[0])];
        if (used + strlen(piece) + 1 > size)
            break;
        used += (size_t)snprintf(out + used, size - used, "%s", piece);
    }
}

/* Each ^ and ~ is the beginning of one of the commands that we write. */
static void only_our_commands(struct text content)
{
    static const char *const ours[] = {
        "^XA", "^CI28", "^PW812", "^LL1218", "^LH0,0", "^FO",   "^FR",   "^A0N,", "^FB", "^FH_",
        "^FD", "^FS",   "^GB",    "^GFA,",   "^BY",    "^BCN,", "^BXN,", "^FX ",  "^XZ"};
    for (size_t at = 0; at < content.size; at++) {
        bool known = content.data[at] != '^' && content.data[at] != '~';
        for (size_t i = 0; i < sizeof ours / sizeof ours[0] && !known; i++)
            known =
                text_starts_with(text_make(content.data + at, content.size - at), text_of(ours[i]));
        if (!known)
            fail_msg("%.*s", 40, content.data + at);
    }
    assert_int_equal(count_of(content, "^XA"), 1);
    assert_int_equal(count_of(content, "^XZ"), 1);
    assert_int_equal(count_of(content, "^CI28"), 1);
    assert_int_equal(count_of(content, "^FD") + count_of(content, "^FX") +
                         count_of(content, "^GB") + count_of(content, "^GFA"),
                     count_of(content, "^FS"));
}

static void no_word_becomes_a_command(void **state)
{
    const char *given = getenv("WAYBILL_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : random_uint64(random_system());
    struct random_seeded random;
    char words[8][256];
    (void)state;
    print_message("# WAYBILL_SEED=%llu\n", (unsigned long long)seed);
    random_seeded_init(&random, seed);
    for (size_t run = 0; run < 300; run++) {
        struct sample sample;
        struct buffer content;
        make_sample(&sample);
        struct text *const places[] = {
            &sample.destination.name,     &sample.destination.company,
            &sample.destination.lines[0], &sample.destination.city,
            &sample.origin.name,          &sample.request.reference,
            &sample.request.service_name, &sample.destination.postal_code};
        for (size_t i = 0; i < 8; i++) {
            make_words(&random.base, words[i], sizeof words[i]);
            *places[i] = text_of(words[i]);
        }
        sample.request.format = SHIPPING_LABEL_ZPL;
        sample.request.only = 1;
        draw(&sample.request, &content);
        only_our_commands(buffer_text(&content));
        buffer_deinit(&content);
    }
}

static void zpl_holds_what_was_asked(void **state)
{
    struct sample sample;
    struct buffer content;
    (void)state;
    make_sample(&sample);
    sample.destination.name = text_of("A^XZ~B_é");
    sample.destination.lines[0] = text_of("Second line");
    sample.request.format = SHIPPING_LABEL_ZPL;
    draw(&sample.request, &content);
    struct text zpl = buffer_text(&content);
    assert_int_equal(count_of(zpl, "^XA"), 2);
    assert_int_equal(count_of(zpl, "^FH_^FDA_5EXZ_7EB_5Fé^FS"), 2);
    assert_int_equal(count_of(zpl, "^FDNOT FOR CARRIAGE^FS"), 2);
    assert_int_equal(count_of(zpl, "N,N,N,A^FDWB12345678901234567890014^FS"), 1);
    assert_int_equal(count_of(zpl, "N,N,N,A^FDWB12345678901234567890024^FS"), 1);
    assert_int_equal(count_of(zpl, "N,N,N,D^FD(421)25075001^FS"), 2);
    assert_int_equal(count_of(zpl, "^FD2 of 2^FS"), 1);
    buffer_deinit(&content);
    sample.destination.name = text_of("王小明");
    sample.destination.country_code = text_of("DE");
    draw(&sample.request, &content);
    zpl = buffer_text(&content);
    assert_int_equal(count_of(zpl, "^FX 王小明^FS"), 2);
    assert_int_equal(count_of(zpl, "^GFA,"), 2);
    assert_int_equal(count_of(zpl, "N,N,N,D^FD(420)75001^FS"), 2);
    buffer_deinit(&content);
}

static void countries_have_their_numbers(void **state)
{
    static const char *const known[][2] = {{"AD", "020"}, {"CI", "384"}, {"DE", "276"},
                                           {"US", "840"}, {"ZW", "716"}, {"GB", "826"}};
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        assert_true(text_equals_string(label_country_number(text_of(known[i][0])), known[i][1]));
    assert_int_equal(label_country_number(text_of("XX")).size, 0);
    assert_int_equal(label_country_number(text_of("20")).size, 0);
    assert_int_equal(label_country_number(text_of("")).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_request_gives_the_same_bytes),
        cmocka_unit_test(the_largest_shipment_fits_the_limit),
        cmocka_unit_test(what_cannot_be_drawn_is_refused),
        cmocka_unit_test(a_content_that_is_too_small_is_told),
        cmocka_unit_test(without_memory_there_is_no_label_and_no_half_of_one),
        cmocka_unit_test(no_word_becomes_a_command),
        cmocka_unit_test(zpl_holds_what_was_asked),
        cmocka_unit_test(countries_have_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
