/*
 * Goal: the types of google.protobuf have the JSON forms of the specification
 * (protobuf.dev/programming-guides/json), both ways and at their limits. Method: as in
 * json_message_test.c.
 */
#include "json_kinds.pb-c.h"
#include "platform/json/json_message.h"
#include "tests/support/json_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* {"field": value} is refused with "field: what". */
static void refuse_form(const char *field, const char *value, const char *what)
{
    char json[512];
    char detail[256];
    snprintf(json, sizeof json, "{\"%s\":%s}", field, value);
    snprintf(detail, sizeof detail, "%s: %s", field, what);
    json_kit_refuse(json, detail);
}

static void expect_form(const char *field, const char *value, const char *expected)
{
    char json[512];
    char result[512];
    snprintf(json, sizeof json, "{\"%s\":%s}", field, value);
    snprintf(result, sizeof result, "{\"%s\":%s}", field, expected);
    json_kit_expect(json, result);
}

static void expect_same_form(const char *field, const char *value)
{
    expect_form(field, value, value);
}

static void timestamp_has_as_many_digits_as_it_needs(void **state)
{
    (void)state;
    expect_same_form("timestamp", "\"1970-01-01T00:00:00Z\"");
    expect_same_form("timestamp", "\"2026-11-24T14:10:14.500Z\"");
    expect_same_form("timestamp", "\"2026-11-24T14:10:14.000001Z\"");
    expect_same_form("timestamp", "\"2026-11-24T14:10:14.000000001Z\"");
    expect_form("timestamp", "\"2026-11-24T14:10:14.5Z\"", "\"2026-11-24T14:10:14.500Z\"");
    expect_form("timestamp", "\"2026-11-24T14:10:14.1234Z\"", "\"2026-11-24T14:10:14.123400Z\"");
    expect_form("timestamp", "\"2026-11-24T14:10:14.000Z\"", "\"2026-11-24T14:10:14Z\"");
}

static void timestamp_comes_with_any_offset_and_goes_in_utc(void **state)
{
    (void)state;
    expect_form("timestamp", "\"2026-11-24T02:00:00+05:30\"", "\"2026-11-23T20:30:00Z\"");
    expect_form("timestamp", "\"2026-12-31T23:00:00.25-01:00\"", "\"2027-01-01T00:00:00.250Z\"");
    expect_form("timestamp", "\"2026-11-24T02:00:00+00:00\"", "\"2026-11-24T02:00:00Z\"");
}

static void timestamp_reaches_from_year_1_to_9999(void **state)
{
    (void)state;
    static const char limits[] = "must be a time such as \"2026-11-24T10:00:00Z\"";
    expect_same_form("timestamp", "\"0001-01-01T00:00:00Z\"");
    expect_same_form("timestamp", "\"9999-12-31T23:59:59.999999999Z\"");
    expect_same_form("timestamp", "\"1969-12-31T23:59:59.999999999Z\"");
    expect_same_form("timestamp", "\"2000-02-29T00:00:00Z\"");
    refuse_form("timestamp", "\"0000-12-31T23:59:59Z\"", limits);
    refuse_form("timestamp", "\"0001-01-01T00:00:00+00:01\"", limits);
    refuse_form("timestamp", "\"9999-12-31T23:59:59-00:01\"", limits);
    refuse_form("timestamp", "\"10000-01-01T00:00:00Z\"", limits);
}

static void what_is_no_timestamp_is_refused(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "\"\"",
        "0",
        "{}",
        "{\"seconds\":1}",
        "\"2026-11-24\"",
        "\"2026-11-24T14:10:14\"",
        "\"2026-11-24t14:10:14Z\"",
        "\"2026-11-24T14:10:14z\"",
        "\"2026-11-24 14:10:14Z\"",
        "\"2026-11-24T14:10:14.Z\"",
        "\"2026-11-24T14:10:14.1234567890Z\"",
        "\"2026-11-24T14:10:14+0530\"",
        "\"2026-11-24T14:10:14+24:00\"",
        "\"2026-11-24T14:10:14+05:60\"",
        "\"2026-11-24T14:10:14Z \"",
        "\"2026-11-24T24:00:00Z\"",
        "\"2026-11-24T14:60:00Z\"",
        "\"2026-11-24T14:10:60Z\"",
        "\"2026-13-24T14:10:14Z\"",
        "\"2026-00-24T14:10:14Z\"",
        "\"2026-11-31T14:10:14Z\"",
        "\"2026-02-29T14:10:14Z\"",
        "\"2026-11-00T14:10:14Z\"",
        "\"2026-1-24T14:10:14Z\"",
        "\"-026-11-24T14:10:14Z\"",
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        refuse_form("timestamp", forms[i], "must be a time such as \"2026-11-24T10:00:00Z\"");
    json_kit_refuse("{\"timestampList\":[\"1970-01-01T00:00:00Z\",\"x\"]}",
                    "timestampList[1]: must be a time such as \"2026-11-24T10:00:00Z\"");
}

static void timestamp_out_of_range_is_not_written(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        int32_t nanos;
    } bad[] = {
        {INT64_C(-62135596801), 0},
        {INT64_C(253402300800), 0},
        {INT64_MAX, 0},
        {INT64_MIN, 0},
        {0, -1},
        {0, 1000000000},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        JsonKinds__Kinds kinds = JSON_KINDS__KINDS__INIT;
        Google__Protobuf__Timestamp timestamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        timestamp.seconds = bad[i].seconds;
        timestamp.nanos = bad[i].nanos;
        kinds.timestamp = &timestamp;
        json_kit_refuse_writing(&kinds.base, "a Timestamp out of range");
    }
}

static void duration_has_as_many_digits_as_it_needs(void **state)
{
    (void)state;
    expect_same_form("duration", "\"0s\"");
    expect_same_form("duration", "\"900s\"");
    expect_same_form("duration", "\"1.500s\"");
    expect_same_form("duration", "\"-1.000001s\"");
    expect_same_form("duration", "\"-0.000000001s\"");
    expect_form("duration", "\"0.5s\"", "\"0.500s\"");
    expect_form("duration", "\"-0s\"", "\"0s\"");
    expect_same_form("duration", "\"315576000000s\"");
    expect_same_form("duration", "\"-315576000000s\"");
}

static void what_is_no_duration_is_refused(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "\"\"",
        "1",
        "{}",
        "\"1\"",
        "\"s\"",
        "\".5s\"",
        "\"1.s\"",
        "\"1.0000000001s\"",
        "\"+1s\"",
        "\"--1s\"",
        "\"1 s\"",
        "\" 1s\"",
        "\"1S\"",
        "\"1ms\"",
        "\"1.-5s\"",
        "\"315576000001s\"",
        "\"-315576000001s\"",
        "\"99999999999999999999s\"",
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        refuse_form("duration", forms[i], "must be a duration such as \"900s\"");
}

static void duration_out_of_range_is_not_written(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        int32_t nanos;
    } bad[] = {
        {INT64_C(315576000001), 0},
        {INT64_C(-315576000001), 0},
        {INT64_MIN, 0},
        {0, 1000000000},
        {0, INT32_MIN},
        {1, -1},
        {-1, 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        JsonKinds__Kinds kinds = JSON_KINDS__KINDS__INIT;
        Google__Protobuf__Duration duration = GOOGLE__PROTOBUF__DURATION__INIT;
        duration.seconds = bad[i].seconds;
        duration.nanos = bad[i].nanos;
        kinds.duration = &duration;
        json_kit_refuse_writing(&kinds.base, "a Duration out of range");
    }
}

static void field_mask_is_one_string_of_camel_case_paths(void **state)
{
    (void)state;
    static const char advice[] = "must be lowerCamelCase paths with commas between them";
    expect_same_form("fieldMask", "\"\"");
    expect_same_form("fieldMask", "\"sku,stock.onHand,a1.bC2\"");
    refuse_form("fieldMask", "\"on_hand\"", advice);
    refuse_form("fieldMask", "\"a,,b\"", advice);
    refuse_form("fieldMask", "\"a,\"", advice);
    refuse_form("fieldMask", "\",\"", advice);
    refuse_form("fieldMask", "\"a b\"", advice);
    refuse_form("fieldMask", "\"\xC3\xA9\"", advice);
    refuse_form("fieldMask", "[\"a\"]", "must be a string such as \"sku,stock.onHand\"");
}

static void field_mask_that_would_not_come_back_is_not_written(void **state)
{
    (void)state;
    static char bad[][8] = {"onHand", "a__b", "a_", "a_1", "", "a b", "a,b"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        JsonKinds__Kinds kinds = JSON_KINDS__KINDS__INIT;
        Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
        char *paths[] = {bad[i]};
        mask.paths = paths;
        mask.n_paths = 1;
        kinds.field_mask = &mask;
        json_kit_refuse_writing(&kinds.base, "a FieldMask with a path that JSON cannot say");
    }
}

static void wrappers_are_what_is_in_them(void **state)
{
    (void)state;
    expect_same_form("doubleWrapper", "1.5");
    expect_same_form("floatWrapper", "\"NaN\"");
    expect_same_form("int64Wrapper", "\"-9223372036854775808\"");
    expect_same_form("uint64Wrapper", "\"18446744073709551615\"");
    expect_same_form("int32Wrapper", "-1");
    expect_same_form("uint32Wrapper", "4294967295");
    expect_same_form("boolWrapper", "false");
    expect_same_form("stringWrapper", "\"\"");
    expect_same_form("bytesWrapper", "\"AA==\"");
    expect_same_form("int64WrapperList", "[\"0\",\"1\"]");
    expect_form("int64Wrapper", "0", "\"0\"");
    refuse_form("int32Wrapper", "{\"value\":1}", "must be a whole number");
    refuse_form("boolWrapper", "0", "must be true or false");
}

static void struct_is_any_object(void **state)
{
    (void)state;
    expect_same_form("struct", "{}");
    expect_same_form("struct", "{\"a\":null,\"b\":[1,\"x\",{\"\":false}],\"c\":{\"d\":-0.5}}");
    refuse_form("struct", "[]", "must be an object");
    refuse_form("struct", "1", "must be an object");
}

static void list_value_is_any_array(void **state)
{
    (void)state;
    expect_same_form("listValue", "[]");
    expect_same_form("listValue", "[null,true,[],{}]");
    refuse_form("listValue", "{}", "must be an array");
}

static void value_is_any_json_null_too(void **state)
{
    (void)state;
    static const char *const values[] = {"null", "true",  "false", "0",  "-1.5",
                                         "\"\"", "\"x\"", "[]",    "{}", "[[[{\"a\":[null]}]]]"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        expect_same_form("value", values[i]);
        expect_same_form("chosenValue", values[i]);
    }
    expect_same_form("valueList", "[null,1]");
    expect_same_form("valueByString", "{\"a\":null,\"b\":[]}");
    json_kit_expect("{\"nullValue\":null}", "{}");
    json_kit_refuse("{\"nullValue\":\"x\"}", "nullValue: is no name of this enum");
}

static void value_that_json_cannot_say_is_not_written(void **state)
{
    (void)state;
    JsonKinds__Kinds kinds = JSON_KINDS__KINDS__INIT;
    Google__Protobuf__Value value = GOOGLE__PROTOBUF__VALUE__INIT;
    kinds.value = &value;
    json_kit_refuse_writing(&kinds.base, "a Value of no kind");
    value.kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
    value.number_value = NAN;
    json_kit_refuse_writing(&kinds.base, "a Value that is no number");
    value.number_value = -INFINITY;
    json_kit_refuse_writing(&kinds.base, "a Value that is no number");
}

static void value_nests_as_deep_as_it_may(void **state)
{
    (void)state;
    char good[128] = "";
    for (int i = 0; i < 15; i++) /* a Value and a ListValue each, in one Kinds */
        strcat(good, "[");
    strcat(good, "0");
    for (int i = 0; i < 15; i++)
        strcat(good, "]");
    expect_same_form("value", good);
    char bad[130];
    snprintf(bad, sizeof bad, "[%s]", good);
    char path[64] = "value";
    for (int i = 0; i < 15; i++)
        strcat(path, "[0]");
    char json[256];
    char detail[256];
    snprintf(json, sizeof json, "{\"value\":%s}", bad);
    snprintf(detail, sizeof detail, "%s: is nested too deeply", path);
    json_kit_refuse(json, detail);
}

static void empty_is_an_empty_object(void **state)
{
    (void)state;
    expect_same_form("empty", "{}");
    refuse_form("empty", "1", "must be an object");
    json_kit_refuse("{\"empty\":{\"x\":1}}", "empty.x: there is no such field");
}

static void any_has_its_type_and_the_fields_of_what_is_in_it(void **state)
{
    (void)state;
    expect_same_form("any", "{}");
    expect_same_form("any", "{\"@type\":\"type.googleapis.com/json_kinds.Kinds\"}");
    expect_same_form("any", "{\"@type\":\"type.googleapis.com/json_kinds.Kinds\",\"int32One\":1,"
                            "\"child\":{}}");
    expect_same_form("any", "{\"@type\":\"a/b/google.rpc.ErrorInfo\",\"reason\":\"R\","
                            "\"metadata\":{\"k\":\"v\"}}");
    expect_same_form("any", "{\"@type\":\"type.googleapis.com/google.protobuf.Empty\"}");
    expect_form("any", "{\"int32One\":1,\"@type\":\"x/json_kinds.Kinds\"}",
                "{\"@type\":\"x/json_kinds.Kinds\",\"int32One\":1}");
    expect_same_form("anyList", "[{},{\"@type\":\"x/json_kinds.Kinds\",\"boolOne\":true}]");
}

static void any_of_a_type_with_its_own_form_has_it_as_value(void **state)
{
    (void)state;
    static const char *const contents[][2] = {
        {"Timestamp", "\"1970-01-01T00:00:01Z\""},
        {"Duration", "\"1s\""},
        {"FieldMask", "\"a,bC\""},
        {"Int64Value", "\"5\""},
        {"StringValue", "\"\""},
        {"Struct", "{\"a\":[1]}"},
        {"ListValue", "[]"},
        {"Value", "null"},
        {"Any", "{\"@type\":\"x/google.protobuf.BoolValue\",\"value\":true}"},
    };
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        char json[256];
        snprintf(json, sizeof json,
                 "{\"@type\":\"type.googleapis.com/google.protobuf.%s\",\"value\":%s}",
                 contents[i][0], contents[i][1]);
        expect_same_form("any", json);
    }
}

static void bad_any_is_refused(void **state)
{
    (void)state;
    static const char no_type[] = "needs \"@type\" of the form \"type.googleapis.com/NAME\"";
    refuse_form("any", "[]", "must be an object");
    refuse_form("any", "{\"int32One\":1}", no_type);
    refuse_form("any", "{\"@type\":1}", no_type);
    refuse_form("any", "{\"@type\":\"json_kinds.Kinds\"}", no_type);
    refuse_form("any", "{\"@type\":\"x/no.such.Type\"}", "its \"@type\" is not known here");
    refuse_form("any", "{\"@type\":\"x/\"}", "its \"@type\" is not known here");
    refuse_form("any", "{\"@type\":\"x/google.protobuf.Duration\"}", "needs \"value\"");
    refuse_form("any", "{\"@type\":\"x/google.protobuf.Duration\",\"value\":\"1s\",\"y\":1}",
                "has only \"@type\" and \"value\"");
    json_kit_refuse("{\"any\":{\"@type\":\"x/google.protobuf.Duration\",\"value\":\"x\"}}",
                    "any.value: must be a duration such as \"900s\"");
    json_kit_refuse("{\"any\":{\"@type\":\"x/json_kinds.Kinds\",\"int32One\":\"x\"}}",
                    "any.int32One: must be a whole number");
    json_kit_refuse("{\"any\":{\"@type\":\"x/json_kinds.Kinds\",\"child\":{\"@type\":\"x\"}}}",
                    "any.child.@type: there is no such field");
}

static void refuse_writing_any(const char *type_url, const void *bytes, size_t size,
                               const char *detail)
{
    JsonKinds__Kinds kinds = JSON_KINDS__KINDS__INIT;
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    any.type_url = (char *)(uintptr_t)type_url;
    any.value.data = (uint8_t *)(uintptr_t)bytes;
    any.value.len = size;
    kinds.any = &any;
    json_kit_refuse_writing(&kinds.base, detail);
}

static void any_that_cannot_be_shown_is_not_written(void **state)
{
    (void)state;
    static const char bad[] = "an Any whose bytes are bad or nest too deeply";
    static const char unknown[] = "an Any of a type that is not known here";
    refuse_writing_any("x/no.such.Type", "", 0, unknown);
    refuse_writing_any("json_kinds.Kinds", "", 0, unknown);
    refuse_writing_any("", "\x08\x01", 2, unknown);
    refuse_writing_any("x/json_kinds.Kinds", "\x08", 1, bad);
    refuse_writing_any("x/json_kinds.Kinds", "\x0B\x0C", 2, bad); /* a group */
    refuse_writing_any("x/json_kinds.Kinds", "\x8A\x01\x7F", 3, bad);
    refuse_writing_any("x/json_kinds.Kinds", "\x72\x01\xFF", 3, "a string that is not UTF-8");
}

static void any_with_a_depth_bomb_is_not_written(void **state)
{
    (void)state;
    enum { levels = 20000, level_bytes = 6 };
    static uint8_t bomb[levels * level_bytes];
    uint8_t *at = bomb + sizeof bomb; /* built from within: child = 17, length-delimited */
    size_t size = 0;
    for (int i = 0; i < levels; i++) {
        uint8_t head[level_bytes] = {0x8A, 0x01};
        size_t head_size = 2;
        size_t left = size;
        do {
            head[head_size++] = (uint8_t)((left & 0x7F) | (left > 0x7F ? 0x80 : 0));
            left >>= 7;
        } while (left > 0);
        at -= head_size;
        memcpy(at, head, head_size);
        size += head_size;
    }
    refuse_writing_any("x/json_kinds.Kinds", at, size,
                       "an Any whose bytes are bad or nest too deeply");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timestamp_has_as_many_digits_as_it_needs),
        cmocka_unit_test(timestamp_comes_with_any_offset_and_goes_in_utc),
        cmocka_unit_test(timestamp_reaches_from_year_1_to_9999),
        cmocka_unit_test(what_is_no_timestamp_is_refused),
        cmocka_unit_test(timestamp_out_of_range_is_not_written),
        cmocka_unit_test(duration_has_as_many_digits_as_it_needs),
        cmocka_unit_test(what_is_no_duration_is_refused),
        cmocka_unit_test(duration_out_of_range_is_not_written),
        cmocka_unit_test(field_mask_is_one_string_of_camel_case_paths),
        cmocka_unit_test(field_mask_that_would_not_come_back_is_not_written),
        cmocka_unit_test(wrappers_are_what_is_in_them),
        cmocka_unit_test(struct_is_any_object),
        cmocka_unit_test(list_value_is_any_array),
        cmocka_unit_test(value_is_any_json_null_too),
        cmocka_unit_test(value_that_json_cannot_say_is_not_written),
        cmocka_unit_test(value_nests_as_deep_as_it_may),
        cmocka_unit_test(empty_is_an_empty_object),
        cmocka_unit_test(any_has_its_type_and_the_fields_of_what_is_in_it),
        cmocka_unit_test(any_of_a_type_with_its_own_form_has_it_as_value),
        cmocka_unit_test(bad_any_is_refused),
        cmocka_unit_test(any_that_cannot_be_shown_is_not_written),
        cmocka_unit_test(any_with_a_depth_bomb_is_not_written),
    };
    json_kit_prepare();
    return cmocka_run_group_tests_name("json_well_known", tests, NULL, NULL);
}
