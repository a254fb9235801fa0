/*
 * Goal: cards are read as they stand or refused with the line at fault; the day decides which is
 * valid. Method: the built-in cards, small cards with one fault each, folders, and every allocation
 * failing once.
 */
#include "shipping/infrastructure/tariff/tariff_card.h"

#include "platform/base/memory.h"
#include "shipping/infrastructure/tariff/tariff_day.h"
#include "tests/support/temporary_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "[card]\nname = T\nvalid_from = 2020-01-01\ncurrency = USD\n"
#define ZONE "[zone A all]\nbase = 1.00\nper_kilogram = 1.00\ntransit_days = 1\n"

static int64_t day(const char *date)
{
    int64_t value = 0;
    assert_true(tariff_day_of(text_of(date), &value));
    return value;
}

static const struct tariff_service *find(const struct tariff *tariff, const char *code,
                                         const char *date)
{
    for (size_t i = 0; i < tariff_service_count(tariff); i++) {
        const struct tariff_service *service = tariff_service_on(tariff, i, day(date));
        if (service != NULL && text_equals_string(service->code, code))
            return service;
    }
    return NULL;
}

static void the_built_in_cards_are_good(void **state)
{
    static const char *const always[] = {"DHL", "FEDEX", "UPS"};
    static const char *const later[] = {"EXPRESS", "ECONOMY", "FREIGHT"};
    struct tariff *tariff;
    (void)state;
    assert_false(error_is(tariff_create_built_in(&tariff)));
    for (size_t i = 0; i < 3; i++) {
        assert_null(find(tariff, always[i], "1999-12-31"));
        assert_non_null(find(tariff, always[i], "2000-01-01"));
        assert_ptr_equal(find(tariff, always[i], "2000-01-01"),
                         find(tariff, always[i], "2099-12-31"));
        assert_null(find(tariff, later[i], "2005-12-31"));
        assert_non_null(find(tariff, later[i], "2006-01-01"));
    }
    assert_ptr_equal(find(tariff, "FREIGHT", "2006-01-01"), find(tariff, "FREIGHT", "2026-02-01"));
    const struct tariff_service *before = find(tariff, "EXPRESS", "2026-01-04");
    const struct tariff_service *since = find(tariff, "EXPRESS", "2026-01-05");
    assert_int_equal(before->zones[0].base_minor, 1400);
    assert_int_equal(since->zones[0].base_minor, 1680);
    tariff_destroy(tariff);
}

static struct error create(struct tariff **tariff, const char *first, const char *second)
{
    struct tariff_file files[] = {{"one.ini", text_of(first)}, {"two.ini", text_of(second)}};
    return tariff_create(tariff, files, second == NULL ? 1 : 2);
}

static void refused(const char *text, const char *detail)
{
    struct tariff *tariff;
    struct error error = create(&tariff, text, NULL);
    assert_null(tariff);
    assert_int_equal(error.code, ERROR_INVALID_SETTING);
    if (strstr(error.detail, detail) == NULL)
        fail_msg("%s, not %s", error.detail, detail);
}

static void a_fault_is_named_with_its_line(void **state)
{
    (void)state;
    refused("", "one.ini:1: there is no [card]");
    refused(HEAD, "no service");
    refused("[service A]\nfuel = no\n", "one.ini:2: [card] comes first");
    refused("x = 1\n", "one.ini:1: [card] comes first");
    refused(HEAD "[card]\nname = B\n", "one.ini:6: [card] comes first, and once");
    refused("[card]\nname = T\nvalid_from = 2020-01-01\n[service A]\nfuel = no\n" ZONE,
            "one.ini:2: [card] lacks currency");
    refused("[card]\nvalid_from = 2020-02-30\n", "one.ini:2: valid_from: a date");
    refused("[card]\ncurrency = usd\n", "one.ini:2: currency");
    refused("[card]\nname = \n", "one.ini:2: name: a text");
    refused(HEAD "name = T\n", "one.ini:5: name is set twice");
    refused(HEAD "colour = red\n", "one.ini:5: no such setting: colour");
    refused(HEAD "[zones]\na = b\n", "one.ini:6: no such section");
    refused(HEAD "nonsense\n", "one.ini:5: neither");
    refused(HEAD "[service a]\nfuel = no\n", "one.ini:6: [service CODE] needs a code");
    refused(HEAD "[service A]\nfuel = perhaps\n", "one.ini:6: fuel: yes or no");
    refused(HEAD "[service A]\nfuel = no\n", "one.ini:6: the service has no zone");
    refused(HEAD "[service A]\nwithdrawn = yes\n" ZONE, "one.ini:6: withdrawn, but it has zones");
    refused(HEAD "[service A]\nfuel = yes\n" ZONE, "one.ini:6: [fuel] must begin");
    refused(HEAD "[service A]\nparcel_grams_max = 0\n",
            "one.ini:6: parcel_grams_max: out of range");
    refused(HEAD "[service A]\nparcels_max = 21\n", "one.ini:6: parcels_max: out of range");
    refused(HEAD "[service A]\nsignature = 1.005\n", "one.ini:6: signature: an amount");
    refused(HEAD "[service A]\nsignature = -1\n", "one.ini:6: signature: an amount");
    refused(HEAD "[service A]\noversize = 1\n" ZONE, "one.ini:6: oversize and oversize_mm");
    refused(HEAD "[service A]\ninsurance_percent = 1.005\n", "one.ini:6: insurance_percent");
    refused(HEAD ZONE, "one.ini:6: [zone CODE NAME] needs a service");
    refused(HEAD "[service A]\nfuel = no\n[zone A]\nbase = 1\n", "one.ini:8: [zone CODE NAME]");
    refused(HEAD "[service A]\nfuel = no\n[zone A x]\nbase = 1\nper_kilogram = 1\n",
            "one.ini:8: [zone A x] lacks transit_days");
    refused(HEAD "[service A]\nfuel = no\n[zone A x]\nto_countries = DEU\n",
            "one.ini:8: to_countries");
    refused(HEAD "[service A]\nfuel = no\n[zone A x]\nper_kilogram = 1.123456789\n",
            "one.ini:8: a price with at most 6 digits");
    refused(HEAD "[service A]\nfuel = no\n" ZONE
                 "per_kilogram above 5 = 1\nper_kilogram above 5 = 2\n",
            "one.ini:12: steps must ascend");
    refused(HEAD "[service A]\nfuel = no\n[zone A x]\nper_kilogram above 5 = 1\n",
            "one.ini:8: per_kilogram comes before");
    refused(HEAD "[service A]\nfuel = no\n" ZONE "per_kilogram above x = 1\n",
            "one.ini:11: whole kilograms");
    refused(HEAD "[fuel]\n2020-01-01 = 5\n", "one.ini:6: a Monday is needed");
    refused(HEAD "[fuel]\n2020-01-06 = 5\n2020-01-06 = 6\n", "one.ini:7: weeks must ascend");
    refused(HEAD "[fuel]\n2020-01-06 = 5\n[remote]\nDE = 1\n[fuel]\n2020-01-13 = 1\n",
            "one.ini:10: the section is there twice");
    refused(HEAD "[remote]\nDEU = 1\n", "one.ini:6: a country and beginnings");
    refused(HEAD "\xFF\n", "one.ini: is not UTF-8");
}

static void the_day_chooses_the_card_whatever_their_order(void **state)
{
    static const char old[] = HEAD "[service A]\ntitle = Old\n" ZONE;
    static const char new[] = "[card]\nname = N\nvalid_from = 2021-03-01\ncurrency = USD\n"
                              "[service A]\ntitle = New\n" ZONE;
    struct tariff *tariff;
    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        assert_false(error_is(create(&tariff, turn ? old : new, turn ? new : old)));
        assert_int_equal(tariff_service_count(tariff), 1);
        assert_null(find(tariff, "A", "2019-12-31"));
        assert_true(text_equals_string(find(tariff, "A", "2020-01-01")->title, "Old"));
        assert_true(text_equals_string(find(tariff, "A", "2021-02-28")->title, "Old"));
        assert_true(text_equals_string(find(tariff, "A", "2021-03-01")->title, "New"));
        tariff_destroy(tariff);
    }
}

static void a_withdrawn_service_is_not_sold_from_that_day_on(void **state)
{
    struct tariff *tariff;
    (void)state;
    assert_false(error_is(create(&tariff, HEAD "[service A]\nfuel = no\n" ZONE,
                                 "[card]\nname = N\nvalid_from = 2021-03-01\ncurrency = USD\n"
                                 "[service A]\nwithdrawn = yes\n")));
    assert_non_null(find(tariff, "A", "2021-02-28"));
    assert_null(find(tariff, "A", "2021-03-01"));
    tariff_destroy(tariff);
}

static void two_cards_of_one_day_may_not_share_a_service(void **state)
{
    static const char card[] = HEAD "[service A]\nfuel = no\n" ZONE;
    struct tariff *tariff;
    struct error error = create(&tariff, card, card);
    (void)state;
    assert_int_equal(error.code, ERROR_INVALID_SETTING);
    assert_non_null(strstr(error.detail, "two.ini:6: another card of the same day"));
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void a_folder_replaces_the_built_in_cards(void **state)
{
    struct temporary_directory directory;
    const char *folder = directory.path;
    struct tariff *tariff;
    (void)state;
    temporary_directory_create(&directory);
    struct error error = tariff_create_from_directory(&tariff, file_system_posix(), folder);
    assert_int_equal(error.code, ERROR_INVALID_SETTING);
    assert_non_null(strstr(error.detail, "holds no card"));
    write_file(folder, "a.ini", HEAD "[service A]\nfuel = no\n" ZONE);
    write_file(folder, "notes.txt", "no card");
    assert_false(error_is(tariff_create_from_directory(&tariff, file_system_posix(), folder)));
    assert_non_null(find(tariff, "A", "2020-01-01"));
    assert_null(find(tariff, "DHL", "2020-01-01"));
    tariff_destroy(tariff);
    write_file(folder, "b.ini", "[card]\nname = 1\nvalid_from = yesterday\n");
    error = tariff_create_from_directory(&tariff, file_system_posix(), folder);
    assert_int_equal(error.code, ERROR_INVALID_SETTING);
    assert_non_null(strstr(error.detail, "/b.ini:3: valid_from"));
    error = tariff_create_from_directory(&tariff, file_system_posix(), "/nowhere/at/all");
    assert_int_equal(error.code, ERROR_NOT_FOUND);
    temporary_directory_remove(&directory);
}

static void without_memory_there_is_an_error_and_nothing_else(void **state)
{
    struct tariff *tariff;
    uint64_t failures = 0;
    (void)state;
    for (;; failures++) {
        memory_fail_after(failures, 0);
        struct error error = tariff_create_built_in(&tariff);
        memory_fail_after(UINT64_MAX, 0);
        if (!error_is(error))
            break;
        assert_int_equal(error.code, ERROR_OUT_OF_MEMORY);
        assert_null(tariff);
    }
    assert_true(failures > 3);
    tariff_destroy(tariff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_built_in_cards_are_good),
        cmocka_unit_test(a_fault_is_named_with_its_line),
        cmocka_unit_test(the_day_chooses_the_card_whatever_their_order),
        cmocka_unit_test(a_withdrawn_service_is_not_sold_from_that_day_on),
        cmocka_unit_test(two_cards_of_one_day_may_not_share_a_service),
        cmocka_unit_test(a_folder_replaces_the_built_in_cards),
        cmocka_unit_test(without_memory_there_is_an_error_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
