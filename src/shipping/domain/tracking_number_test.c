/*
 * Goal: numbers of each form are known, and one wrong digit is noticed. Method: the test numbers of
 * the collections the rules come from, and numbers made here, each with every digit altered.
 */
#include "shipping/domain/tracking_number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *number;
    enum tracking_number_kind kind;
} known[] = {
    {"1Z5R89390357567127", TRACKING_NUMBER_UPS},
    {"1Z879E930346834440", TRACKING_NUMBER_UPS},
    {" 1 Z 8 V 9 2 A 7 0 3 6 7 2 0 3 0 2 4 ", TRACKING_NUMBER_UPS},
    {"1Z12345E6605272234", TRACKING_NUMBER_UPS},
    {"K 150 623 562 0", TRACKING_NUMBER_UPS_WAYBILL},
    {"J4603636537", TRACKING_NUMBER_UPS_WAYBILL},
    {"V0490119172", TRACKING_NUMBER_UPS_WAYBILL},
    {"986578788855", TRACKING_NUMBER_FEDEX_12},
    {"477179081230", TRACKING_NUMBER_FEDEX_12},
    {" 7 9 0 5 3 5 3 1 2 3 1 7 ", TRACKING_NUMBER_FEDEX_12},
    {"1001921334250001000300779017972697", TRACKING_NUMBER_FEDEX_34},
    {"1001921380360001000300639585804382", TRACKING_NUMBER_FEDEX_34},
    {"1195583874210007521100871140316936", TRACKING_NUMBER_FEDEX_34},
    {"32971514560102447849175802862014", TRACKING_NUMBER_FEDEX_ASTRA},
    {"33810799560000004380417923803212", TRACKING_NUMBER_FEDEX_ASTRA},
    {"0414 4176 0228 964", TRACKING_NUMBER_FEDEX_GROUND},
    {"5682 8361 0012 000", TRACKING_NUMBER_FEDEX_GROUND},
    {"00 0123 4500 0000 0027", TRACKING_NUMBER_FEDEX_GROUND_18},
    {"00 00 0123 4500 0000 0027", TRACKING_NUMBER_FEDEX_GROUND_18},
    {"9611020987654312345672", TRACKING_NUMBER_FEDEX_GROUND_96},
    {"9622001900000000000000776632517510", TRACKING_NUMBER_FEDEX_GSN},
    {"9632001560123456789900794808390594", TRACKING_NUMBER_FEDEX_GSN},
    {"3318810025", TRACKING_NUMBER_DHL_EXPRESS},
    {"73891051146", TRACKING_NUMBER_DHL_EXPRESS},
    {"9356579890", TRACKING_NUMBER_DHL_EXPRESS},
    {"4818240420", TRACKING_NUMBER_DHL_EXPRESS},
    {"JJD0099999999", TRACKING_NUMBER_DHL_PIECE},
    {"JVGL0999999990", TRACKING_NUMBER_DHL_PIECE},
    {"JD013036538172296379", TRACKING_NUMBER_DHL_PIECE},
    {"GM2951173225174494", TRACKING_NUMBER_DHL_ECOMMERCE},
    {"GM9E44608A27984866BA2D", TRACKING_NUMBER_DHL_ECOMMERCE},
    {"5108 7693037816", TRACKING_NUMBER_DHL_ECOMMERCE},
    {"RB123456785GB", TRACKING_NUMBER_S10},
    {"RB123456785CV", TRACKING_NUMBER_S10},
};

static const char *const unknown[] = {
    "2Z5R89390357567127",
    "1A5R89390357567127",
    "1Z12345E020527079",
    "1Z12345E0205271688",
    "K1506235622",
    "V0411335627",
    "996578788855",
    "1001901781990001000300617767839438",
    "32971514560102447849175802852014",
    "3297151456010244784917580286201",
    "5682 8361 0012 732",
    "000000000000000001",
    "9600000000000000000001",
    "9622001560001234567100794808390595",
    "3318810010",
    "3318810034",
    "XJD0099999998",
    "GS295117494011169041",
    "GR295117494011169045",
    "ABCDEFGHILJKLMNOPQ",
    "ABCDEFGHILJKLMNOPQRSTU1234567890",
    "A60120172242323",
    "60120172242323B",
    "601201722X2323",
    "RB123456786US",
    "RB123456785XX",
    "",
    "1z5r89390357567127",
    "12\n34",
};

static void published_numbers_are_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (tracking_number_kind_of(text_of(known[i].number)) != known[i].kind)
            fail_msg("%s", known[i].number);
    }
}

static void published_wrong_numbers_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        if (tracking_number_kind_of(text_of(unknown[i])) != TRACKING_NUMBER_UNKNOWN)
            fail_msg("%s", unknown[i]);
    }
}

static void made(const char *number, enum tracking_number_kind kind, const char *carrier)
{
    assert_int_equal(tracking_number_kind_of(text_of(number)), kind);
    assert_string_equal(tracking_number_carrier(kind), carrier);
}

static void made_numbers_are_right(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 20000; i++) {
        char number[32];
        uint64_t serial = i * 2654435761u;
        tracking_number_make_ups("A1B2C3", "03", serial, number);
        made(number, TRACKING_NUMBER_UPS, "ups");
        tracking_number_make_fedex(serial, number);
        made(number, TRACKING_NUMBER_FEDEX_12, "fedex");
        tracking_number_make_fedex_ground(serial, number);
        made(number, TRACKING_NUMBER_FEDEX_GROUND, "fedex");
        tracking_number_make_dhl(serial, number);
        made(number, TRACKING_NUMBER_DHL_EXPRESS, "dhl");
        tracking_number_make_dhl_piece(serial, number);
        made(number, TRACKING_NUMBER_DHL_PIECE, "dhl");
    }
}

static void a_wrong_check_digit_is_noticed(void **state)
{
    char number[19];
    (void)state;
    tracking_number_make_ups("A1B2C3", "03", 1234567, number);
    for (char digit = '0'; digit <= '9'; digit++) {
        bool right = number[17] == digit;
        char other[19];
        memcpy(other, number, sizeof other);
        other[17] = digit;
        assert_int_equal(tracking_number_kind_of(text_of(other)) == TRACKING_NUMBER_UPS, right);
    }
}

static void a_number_of_another_form_is_told_what_it_must_be(void **state)
{
    static const struct {
        const char *carrier;
        const char *number;
        bool may_be;
    } rows[] = {
        {"ups", "1Z5R89390357567127", true},
        {"ups", "1Z5R89390357567128", true},
        {"ups", "1Z999", false},
        {"ups", "1Z5R8939035756712", false},
        {"ups", "V0490119172", true},
        {"ups", "1Z 5R8 939 0357567127", false},
        {"ups", "", false},
        {"ups", "1z5r89390357567127", false},
        {"fedex", "986578788855", true},
        {"fedex", "1Z5R89390357567127", false},
        {"fedex", "98657878885", false},
        {"dhl", "3318810025", true},
        {"dhl", "JD014600003SE29000", true},
        {"dhl", "331881002", false},
        {"tariff", "T1", true},
        {"", "N1", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *missed =
            tracking_number_form_missed(text_of(rows[i].carrier), text_of(rows[i].number));
        if ((missed == NULL) != rows[i].may_be)
            fail_msg("%s %s: %s", rows[i].carrier, rows[i].number, missed == NULL ? "" : missed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_numbers_are_known),
        cmocka_unit_test(published_wrong_numbers_are_refused),
        cmocka_unit_test(made_numbers_are_right),
        cmocka_unit_test(a_wrong_check_digit_is_noticed),
        cmocka_unit_test(a_number_of_another_form_is_told_what_it_must_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
