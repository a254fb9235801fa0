/*
 * Goal: every kind of field that proto3 has goes to JSON and back as the specification says
 * (protobuf.dev/programming-guides/json), and what does not fit is refused with its path. Method:
 * JSON text in, JSON text out, through a message type that has every kind; the types of
 * google.protobuf are in json_well_known_test.c.
 */
#include "platform/json/json_message.h"
#include "platform/json/json_tree.h"

#include "json_kinds.pb-c.h"
#include "platform/base/memory.h"
#include "tests/support/json_kit.h"
#include "waybill/inventory/v1/inventory.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void numbers_of_32_bits_are_numbers(void **state)
{
    (void)state;
    json_kit_expect_same("{\"int32One\":2147483647,\"sint32One\":-1,\"sfixed32One\":1,"
                         "\"uint32One\":4294967295,\"fixed32One\":4294967295}");
    json_kit_expect_same("{\"int32One\":-2147483648,\"sint32One\":-2147483648,"
                         "\"sfixed32One\":-2147483648,\"uint32One\":1}");
}

static void numbers_of_64_bits_are_strings(void **state)
{
    (void)state;
    json_kit_expect_same("{\"int64One\":\"9223372036854775807\",\"sint64One\":\"-1\","
                         "\"sfixed64One\":\"1\",\"uint64One\":\"18446744073709551615\","
                         "\"fixed64One\":\"18446744073709551615\"}");
    json_kit_expect_same("{\"int64One\":\"-9223372036854775808\"}");
    json_kit_expect("{\"int64One\":9007199254740993}", "{\"int64One\":\"9007199254740993\"}");
    json_kit_expect("{\"uint64One\":9223372036854775807}",
                    "{\"uint64One\":\"9223372036854775807\"}");
}

static void whole_numbers_come_in_any_notation(void **state)
{
    (void)state;
    static const char *const forms[] = {"1000",     "1e3",      "1E3",     "1000.0",    "1.0e+3",
                                        "10000e-1", "\"1000\"", "\"1e3\"", "\"1000.0\""};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        char json[64];
        snprintf(json, sizeof json, "{\"int32One\":%s}", forms[i]);
        json_kit_expect(json, "{\"int32One\":1000}");
        snprintf(json, sizeof json, "{\"uint64One\":%s}", forms[i]);
        json_kit_expect(json, "{\"uint64One\":\"1000\"}");
    }
    json_kit_expect("{\"int64One\":9007199254740992.0}", "{\"int64One\":\"9007199254740992\"}");
    json_kit_expect("{\"uint32One\":-0}", "{}");
}

static void what_is_no_whole_number_is_refused(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "true",   "[1]",      "{}",      "\"\"",    "\" 1\"",  "\"1 \"",      "\"+1\"",
        "\"01\"", "\"0x10\"", "\"1e\"",  "\"1.\"",  "\".5\"",  "\"inf\"",     "\"nan\"",
        "\"-\"",  "\"\\t1\"", "\"--1\"", "\"1,0\"", "\"NaN\"", "\"1\\u00a0\""};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        char json[64];
        snprintf(json, sizeof json, "{\"int32One\":%s}", forms[i]);
        json_kit_refuse(json, "int32One: must be a whole number");
        snprintf(json, sizeof json, "{\"uint64One\":%s}", forms[i]);
        json_kit_refuse(json, "uint64One: must be a whole number");
    }
    json_kit_refuse("{\"int32One\":1.5}", "int32One: must be a whole number in range");
    json_kit_refuse("{\"int64One\":\"0.5\"}", "int64One: must be a whole number in range");
    json_kit_refuse("{\"int32One\":01}", "line 1 column 13: invalid token near '0'");
}

static void numbers_out_of_range_are_refused(void **state)
{
    (void)state;
    json_kit_refuse("{\"int32One\":2147483648}", "int32One: must fit 32 bits");
    json_kit_refuse("{\"sint32One\":-2147483649}", "sint32One: must fit 32 bits");
    json_kit_refuse("{\"fixed32One\":\"4294967296\"}", "fixed32One: must fit 32 bits");
    json_kit_refuse("{\"uint32One\":-1}", "uint32One: must not be negative");
    json_kit_refuse("{\"uint64One\":\"-1\"}", "uint64One: must not be negative");
    json_kit_refuse("{\"uint64One\":-1.0}", "uint64One: must be a whole number in range");
    json_kit_refuse("{\"int64One\":\"9223372036854775808\"}",
                    "int64One: must be a whole number in range");
    json_kit_refuse("{\"uint64One\":\"18446744073709551616\"}",
                    "uint64One: must be a whole number in range");
    json_kit_refuse("{\"int64One\":9007199254740994.0}",
                    "int64One: must be a whole number in range");
    json_kit_refuse("{\"int64One\":9223372036854775808}",
                    "line 1 column 31: too big integer near '9223372036854775808'");
}

static void real_numbers_are_written_in_their_shortest_form(void **state)
{
    (void)state;
    json_kit_expect_same("{\"floatOne\":0.1,\"doubleOne\":0.1}");
    json_kit_expect_same("{\"floatOne\":3.4028235e+38,\"doubleOne\":1.7976931348623157e+308}");
    json_kit_expect_same("{\"doubleOne\":4.94065645841247e-324}");
    json_kit_expect_same("{\"doubleList\":[-0.0],\"floatList\":[-0.0]}");
    json_kit_expect("{\"doubleOne\":1e22,\"floatOne\":5}", "{\"floatOne\":5,\"doubleOne\":1e+22}");
    json_kit_expect("{\"doubleOne\":\"-1.5e3\",\"floatOne\":\"2\"}",
                    "{\"floatOne\":2,\"doubleOne\":-1500}");
}

static void not_a_number_and_the_infinities_are_strings(void **state)
{
    (void)state;
    json_kit_expect_same("{\"floatOne\":\"NaN\",\"doubleOne\":\"NaN\"}");
    json_kit_expect_same("{\"floatOne\":\"Infinity\",\"doubleOne\":\"-Infinity\"}");
    json_kit_refuse("{\"doubleOne\":NaN}", "line 1 column 16: invalid token near 'NaN'");
    json_kit_refuse("{\"doubleOne\":\"nan\"}", "doubleOne: must be a number");
    json_kit_refuse("{\"doubleOne\":\"+Infinity\"}", "doubleOne: must be a number");
    json_kit_refuse("{\"doubleOne\":\"0x1p3\"}", "doubleOne: must be a number");
    json_kit_refuse("{\"doubleOne\":true}", "doubleOne: must be a number");
    json_kit_refuse("{\"doubleOne\":\"1e999\"}", "doubleOne: is too large");
    json_kit_refuse("{\"floatOne\":3.5e38}", "floatOne: is too large");
    json_kit_refuse("{\"doubleOne\":1e999}", "line 1 column 18: real number overflow near '1e999'");
}

static void truths_are_true_and_false(void **state)
{
    (void)state;
    json_kit_expect_same("{\"boolOne\":true}");
    json_kit_expect("{\"boolOne\":false}", "{}");
    json_kit_refuse("{\"boolOne\":\"true\"}", "boolOne: must be true or false");
    json_kit_refuse("{\"boolOne\":1}", "boolOne: must be true or false");
}

static void strings_keep_every_character(void **state)
{
    (void)state;
    json_kit_expect_same(
        "{\"stringOne\":\"Ünïcødé 日本語 😀 / < > & ' \\\" \\\\ \\n \\u0001 \\u001f\"}");
    json_kit_expect("{\"stringOne\":\"\\u00e9\\ud83d\\ude00\\/\\t\\r\\b\\f\"}",
                    "{\"stringOne\":\"é😀/\\u0009\\u000d\\u0008\\u000c\"}");
    json_kit_refuse("{\"stringOne\":1}", "stringOne: must be a string");
    json_kit_refuse("{\"stringOne\":\"a\\u0000b\"}",
                    "line 1 column 23: a string must not hold \\u0000");
    json_kit_refuse("{\"stringOne\":\"\\ud83d\"}",
                    "line 1 column 21: invalid Unicode '\\uD83D' near '\"\\ud83d\"'");
    json_kit_refuse("{\"stringOne\":\"\xFF\"}",
                    "line 1 column 14: unable to decode byte 0xff near '\"'");
}

static void string_that_is_not_utf8_is_not_written(void **state)
{
    (void)state;
    JsonKinds__Kinds kinds = JSON_KINDS__KINDS__INIT;
    char bad[] = "a\xFF";
    kinds.string_one = bad;
    json_kit_refuse_writing(&kinds.base, "a string that is not UTF-8");
}

static void bytes_are_base64_of_either_alphabet(void **state)
{
    (void)state;
    json_kit_expect_same("{\"bytesOne\":\"AA==\"}");
    json_kit_expect_same("{\"bytesOne\":\"+/+/\"}");
    json_kit_expect("{\"bytesOne\":\"-_-_\"}", "{\"bytesOne\":\"+/+/\"}");
    json_kit_expect("{\"bytesOne\":\"AAE\"}", "{\"bytesOne\":\"AAE=\"}");
    json_kit_expect("{\"bytesOne\":\"\"}", "{}");
    json_kit_refuse("{\"bytesOne\":\"A\"}", "bytesOne: must be Base64");
    json_kit_refuse("{\"bytesOne\":\"AA=A\"}", "bytesOne: must be Base64");
    json_kit_refuse("{\"bytesOne\":\"A A=\"}", "bytesOne: must be Base64");
    json_kit_refuse("{\"bytesOne\":[0]}", "bytesOne: must be Base64");
}

static void enums_go_by_name_and_come_by_number_too(void **state)
{
    (void)state;
    json_kit_expect_same("{\"colourOne\":\"COLOUR_RED\"}");
    json_kit_expect("{\"colourOne\":1}", "{\"colourOne\":\"COLOUR_RED\"}");
    json_kit_expect("{\"colourOne\":-2}", "{\"colourOne\":\"COLOUR_BLUE\"}");
    json_kit_expect("{\"colourOne\":\"COLOUR_UNSPECIFIED\"}", "{}");
    json_kit_expect("{\"colourOne\":0}", "{}");
}

static void unknown_enum_number_is_kept_and_unknown_name_refused(void **state)
{
    (void)state;
    json_kit_expect_same("{\"colourOne\":77,\"colourList\":[\"COLOUR_RED\",-5]}");
    json_kit_refuse("{\"colourOne\":\"COLOUR_GREEN\"}", "colourOne: is no name of this enum");
    json_kit_refuse("{\"colourOne\":\"colour_red\"}", "colourOne: is no name of this enum");
    json_kit_refuse("{\"colourOne\":\"1\"}", "colourOne: is no name of this enum");
    json_kit_refuse("{\"colourOne\":true}", "colourOne: must be a name of the enum");
    json_kit_refuse("{\"colourOne\":4294967296}", "colourOne: must fit 32 bits");
}

static void lists_keep_their_order(void **state)
{
    (void)state;
    json_kit_expect_same("{\"int32List\":[3,0,-1],\"uint64List\":[\"0\",\"18446744073709551615\"],"
                         "\"doubleList\":[0,1.5,\"NaN\"],\"floatList\":[0.5],"
                         "\"boolList\":[true,false,true],\"stringList\":[\"\",\"b\",\"a\"],"
                         "\"bytesList\":[\"\",\"AA==\"],"
                         "\"colourList\":[\"COLOUR_UNSPECIFIED\",\"COLOUR_BLUE\"],"
                         "\"children\":[{},{\"int32One\":1},{\"children\":[{}]}]}");
    json_kit_expect("{\"int32List\":[],\"children\":[]}", "{}");
    json_kit_refuse("{\"int32List\":1}", "int32List: must be an array");
    json_kit_refuse("{\"int32List\":{}}", "int32List: must be an array");
}

static void null_is_as_if_it_were_not_there(void **state)
{
    (void)state;
    json_kit_expect("{\"int32One\":null,\"int64One\":null,\"stringOne\":null,\"bytesOne\":null,"
                    "\"boolOne\":null,\"colourOne\":null,\"child\":null,\"int32List\":null,"
                    "\"byString\":null,\"timestamp\":null,\"int64Wrapper\":null,\"any\":null,"
                    "\"chosenString\":null,\"chosenInt64\":\"5\"}",
                    "{\"chosenInt64\":\"5\"}");
}

static void null_in_a_list_or_a_map_is_refused(void **state)
{
    (void)state;
    json_kit_refuse("{\"int32List\":[1,null]}", "int32List[1]: must not be null");
    json_kit_refuse("{\"children\":[null]}", "children[0]: must not be null");
    json_kit_refuse("{\"int64WrapperList\":[null]}", "int64WrapperList[0]: must not be null");
    json_kit_refuse("{\"byString\":{\"a\":null}}", "byString.a: must not be null");
    json_kit_refuse("{\"kindsByString\":{\"a\":null}}", "kindsByString.a: must not be null");
}

static void maps_are_objects_whatever_their_keys(void **state)
{
    (void)state;
    json_kit_expect_same("{\"byString\":{\"\":1,\"b\":0,\"a\":-3},"
                         "\"byInt32\":{\"-2147483648\":\"low\",\"0\":\"\"},"
                         "\"bySint64\":{\"-9223372036854775808\":true,\"7\":false},"
                         "\"byFixed32\":{\"4294967295\":\"-1\"},"
                         "\"byUint64\":{\"18446744073709551615\":0.5},"
                         "\"byBool\":{\"true\":\"AA==\",\"false\":\"\"},"
                         "\"kindsByString\":{\"x\":{\"int32One\":1},\"y\":{}},"
                         "\"colourByString\":{\"red\":\"COLOUR_RED\"}}");
    json_kit_expect("{\"byString\":{}}", "{}");
}

static void bad_keys_of_maps_are_refused(void **state)
{
    (void)state;
    json_kit_refuse("{\"byInt32\":{\"x\":\"\"}}", "byInt32.x: must be a whole number");
    json_kit_refuse("{\"byInt32\":{\"1\":\"\",\"1.0\":\"\"}}",
                    "byInt32.1.0: must be written in plain digits");
    json_kit_refuse("{\"byInt32\":{\"-0\":\"\"}}", "byInt32.-0: must be written in plain digits");
    json_kit_refuse("{\"byInt32\":{\"2147483648\":\"\"}}", "byInt32.2147483648: must fit 32 bits");
    json_kit_refuse("{\"byUint64\":{\"-1\":1}}", "byUint64.-1: must not be negative");
    json_kit_refuse("{\"byBool\":{\"TRUE\":\"\"}}", "byBool.TRUE: must be true or false");
    json_kit_refuse("{\"byString\":[]}", "byString: must be an object");
    json_kit_refuse("{\"byString\":{\"k\":\"x\"}}", "byString.k: must be a whole number");
}

static void map_entry_without_its_value_is_an_empty_one(void **state)
{
    (void)state;
    JsonKinds__Kinds kinds = JSON_KINDS__KINDS__INIT;
    JsonKinds__Kinds__KindsByStringEntry entry = JSON_KINDS__KINDS__KINDS_BY_STRING_ENTRY__INIT;
    JsonKinds__Kinds__KindsByStringEntry *entries[] = {&entry};
    struct buffer out;
    char key[] = "k";
    entry.key = key;
    kinds.kinds_by_string = entries;
    kinds.n_kinds_by_string = 1;
    buffer_init(&out, 1024);
    assert_false(error_is(json_message_write(&kinds.base, 0, &out)));
    assert_true(text_equals_string(buffer_text(&out), "{\"kindsByString\":{\"k\":{}}}"));
    buffer_deinit(&out);
}

static void one_of_a_oneof_is_kept_even_at_its_default(void **state)
{
    (void)state;
    json_kit_expect_same("{\"chosenString\":\"\"}");
    json_kit_expect_same("{\"chosenInt64\":\"0\"}");
    json_kit_expect_same("{\"chosenKinds\":{}}");
    json_kit_expect_same("{\"chosenNull\":null}");
    json_kit_expect("{\"chosenNull\":\"NULL_VALUE\"}", "{\"chosenNull\":null}");
    json_kit_refuse("{\"chosenString\":\"a\",\"chosenInt64\":\"1\"}",
                    "chosenInt64: another field of the same oneof is set");
}

static void names_come_in_both_forms_and_go_in_lower_camel_case(void **state)
{
    (void)state;
    json_kit_expect("{\"int32_one\":1,\"_leading\":\"a\",\"two__underscores\":\"b\","
                    "\"with_1_digit\":\"c\",\"mixedCase\":\"d\",\"trailing_\":\"e\"}",
                    "{\"int32One\":1,\"Leading\":\"a\",\"twoUnderscores\":\"b\","
                    "\"with1Digit\":\"c\",\"mixedCase\":\"d\",\"trailing\":\"e\"}");
    json_kit_refuse("{\"int32one\":1}", "int32one: there is no such field");
    json_kit_refuse("{\"Int32One\":1}", "Int32One: there is no such field");
    json_kit_refuse("{\"int32_One\":1}", "int32_One: there is no such field");
}

static void fields_given_twice_are_refused(void **state)
{
    (void)state;
    json_kit_refuse("{\"int32One\":1,\"int32One\":1}",
                    "line 1 column 24: duplicate object key near '\"int32One\"'");
    json_kit_refuse("{\"int32One\":1,\"int32_one\":1}", "int32One: is there by both of its names");
    json_kit_refuse("{\"int32_list\":[],\"int32List\":[]}",
                    "int32_list: is there by both of its names");
    json_kit_refuse("{\"byString\":{\"a\":1,\"a\":2}}",
                    "line 1 column 22: duplicate object key near '\"a\"'");
}

static void unknown_fields_are_refused_unless_they_may_be_ignored(void **state)
{
    (void)state;
    const char *json = "{\"int32One\":1,\"nonsense\":[{\"deep\":null}],\"child\":{\"x\":1}}";
    struct arena arena;
    ProtobufCMessage *message;
    json_kit_refuse(json, "nonsense: there is no such field");
    json_kit_refuse("{\"@type\":\"x\"}", "@type: there is no such field");
    arena_init(&arena, 64 * 1024);
    assert_false(error_is(
        json_message_read(text_of(json), &json_kinds__kinds__descriptor, true, &arena, &message)));
    assert_int_equal(((JsonKinds__Kinds *)message)->int32_one, 1);
    assert_non_null(((JsonKinds__Kinds *)message)->child);
    arena_deinit(&arena);
}

static void path_names_the_value_that_is_wrong(void **state)
{
    (void)state;
    const char *json =
        "{\"reservationId\":\"r\",\"lines\":[{\"sku\":\"A\"},{},{\"quantity\":\"x\"}]}";
    struct arena arena;
    ProtobufCMessage *message;
    arena_init(&arena, 64 * 1024);
    struct error error =
        json_message_read(text_of(json), &waybill__inventory__v1__reserve_request__descriptor,
                          false, &arena, &message);
    assert_string_equal(error.detail, "lines[2].quantity: must be a whole number");
    arena_deinit(&arena);
    json_kit_refuse("{\"child\":{\"children\":[{},{\"kindsByString\":{\"k\":{\"boolOne\":0}}}]}}",
                    "child.children[1].kindsByString.k.boolOne: must be true or false");
    json_kit_refuse("{\"children\":[{\"int32List\":[]},{\"int32List\":[1,[]]}]}",
                    "children[1].int32List[1]: must be a whole number");
    json_kit_refuse("[]", "must be an object");
    json_kit_refuse("null", "must be an object");
}

static void path_that_is_too_long_ends_with_a_whole_character(void **state)
{
    (void)state;
    char json[2048] = "{\"";
    char expected[2048] = "";
    for (int i = 0; i < 400; i++)
        strcat(json, "é");
    strcat(json, "\":1}");
    for (int i = 0; i < 75; i++)
        strcat(expected, "é");
    strcat(expected, ": there is no such field");
    json_kit_refuse(json, expected);
    json[2] = 'x';
    json[3] = 'x';
    json[4] = 'x';
    memmove(json + 5, json + 6, strlen(json + 6) + 1); /* now at an odd place */
    memset(expected, 0, sizeof expected);
    strcpy(expected, "xxx");
    for (int i = 0; i < 73; i++)
        strcat(expected, "é");
    strcat(expected, ": there is no such field");
    json_kit_refuse(json, expected);
}

static void text_that_is_no_json_is_told_with_line_and_column(void **state)
{
    (void)state;
    json_kit_refuse("", "line 1 column 0: unexpected token near end of file");
    json_kit_refuse("{\n \"int32One\": 1,\n}", "line 3 column 1: string or '}' expected near '}'");
    json_kit_refuse("{} {}", "line 1 column 4: end of file expected near '{'");
    json_kit_refuse("{\"b\\\xE5\x8B\x8C", "line 1 column 5: invalid escape");
    json_kit_refuse("{'int32One':1}", "line 1 column 2: string or '}' expected near '''");
}

static void indented_form_has_a_member_a_line(void **state)
{
    (void)state;
    const char *json =
        "{\"int32One\":1,\"int32List\":[1,2],\"byString\":{\"a\":1},\"children\":[{}],"
        "\"struct\":{},\"listValue\":[]}";
    const char *expected = "{\n  \"int32One\": 1,\n  \"int32List\": [\n    1,\n    2\n  ],\n"
                           "  \"children\": [\n    {}\n  ],\n"
                           "  \"byString\": {\n    \"a\": 1\n  },\n"
                           "  \"struct\": {},\n  \"listValue\": []\n}";
    struct arena arena;
    struct buffer out;
    ProtobufCMessage *message;
    arena_init(&arena, 64 * 1024);
    buffer_init(&out, 1024);
    assert_false(error_is(
        json_message_read(text_of(json), &json_kinds__kinds__descriptor, false, &arena, &message)));
    assert_false(error_is(json_message_write(message, 2, &out)));
    assert_int_equal(out.size, strlen(expected));
    assert_memory_equal(out.data, expected, out.size);
    buffer_deinit(&out);
    arena_deinit(&arena);
}

static char *nested(const char *before, const char *after, int levels)
{
    char *json = calloc((size_t)levels + 1, strlen(before) + strlen(after));
    char *at = json;
    for (int i = 0; i < levels; i++)
        at = stpcpy(at, before);
    for (int i = 0; i < levels; i++)
        at = stpcpy(at, after);
    return json;
}

static void messages_nest_as_deep_as_they_may_and_no_deeper(void **state)
{
    (void)state;
    struct arena arena;
    ProtobufCMessage *message;
    static const char *const before[] = {"{\"child\":", "{\"children\":[",
                                         "{\"kindsByString\":{\"\":"};
    static const char *const after[] = {"}", "]}", "}}"};
    for (int i = 0; i < 3; i++) {
        for (int levels = 31; levels <= 32; levels++) {
            char *shell = nested(before[i], after[i], levels);
            size_t size = strlen(shell);
            char *json = malloc(size + 3);
            size_t middle = strlen(before[i]) * (size_t)levels;
            snprintf(json, size + 3, "%.*s{}%s", (int)middle, shell, shell + middle);
            if (levels == 31) {
                json_kit_expect_same(json);
            } else {
                arena_init(&arena, 1024 * 1024);
                struct error error = json_message_read(
                    text_of(json), &json_kinds__kinds__descriptor, false, &arena, &message);
                assert_int_equal(error.code, ERROR_INVALID_INPUT);
                assert_non_null(strstr(error.detail, ": is nested too deeply"));
                arena_deinit(&arena);
            }
            free(json);
            free(shell);
        }
    }
}

static void depth_bombs_are_refused(void **state)
{
    (void)state;
    static const char *const before[] = {"[", "{\"child\":", "{\"value\":", "{\"struct\":"};
    static const char *const after[] = {"]", "}", "}", "}"};
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        struct arena arena;
        ProtobufCMessage *message;
        char *json = nested(before[i], after[i], 100000);
        arena_init(&arena, 1024 * 1024);
        struct error error = json_message_read(text_of(json), &json_kinds__kinds__descriptor, true,
                                               &arena, &message);
        assert_int_equal(error.code, ERROR_INVALID_INPUT);
        assert_non_null(strstr(error.detail, "maximum parsing depth"));
        arena_deinit(&arena);
        free(json);
    }
}

static struct error read_repeated(const char *piece, size_t count, size_t arena_bytes_max)
{
    struct arena arena;
    ProtobufCMessage *message;
    size_t size = strlen(piece);
    char *json = malloc((size + 1) * count + 64);
    char *at = stpcpy(json, "{\"children\":[");
    for (size_t i = 0; i < count; i++)
        at = stpcpy(stpcpy(at, i == 0 ? "" : ","), piece);
    stpcpy(at, "]}");
    arena_init(&arena, arena_bytes_max);
    struct error error =
        json_message_read(text_of(json), &json_kinds__kinds__descriptor, false, &arena, &message);
    arena_deinit(&arena);
    free(json);
    return error;
}

static void huge_input_is_bounded_in_memory(void **state)
{
    (void)state;
    const char *honest = "{\"int64One\":\"9223372036854775807\",\"stringOne\":\"SKU-0000000001\"}";
    struct error error = read_repeated(honest, 10000, (size_t)64 * 1024 * 1024);
    assert_false(error_is(error));
    error = read_repeated(honest, 10000, 1024 * 1024);
    assert_int_equal(error.code, ERROR_OUT_OF_MEMORY); /* the arena's limit */
    error = read_repeated("{}", 300000, (size_t)1024 * 1024 * 1024);
    assert_int_equal(error.code, ERROR_LIMIT);
    assert_string_equal(error.detail, "the JSON takes too much memory");
}

static void writing_stops_at_the_limit_of_the_buffer(void **state)
{
    (void)state;
    const char *json =
        "{\"int32One\":1,\"floatOne\":1.5,\"stringOne\":\"a\\n\\u0001\",\"bytesOne\":"
        "\"AAAA\",\"colourOne\":\"COLOUR_RED\",\"stringList\":[\"a\",\"b\"],"
        "\"byInt32\":{\"1\":\"a\"},\"timestamp\":\"2026-01-01T00:00:00.5Z\","
        "\"fieldMask\":\"aB\",\"any\":{\"@type\":\"x/json_kinds.Kinds\"}}";
    struct arena arena;
    ProtobufCMessage *message;
    size_t limit = 0;
    struct error error;
    arena_init(&arena, 64 * 1024);
    assert_false(error_is(
        json_message_read(text_of(json), &json_kinds__kinds__descriptor, false, &arena, &message)));
    do {
        struct buffer out;
        buffer_init(&out, limit++);
        error = json_message_write(message, 1, &out);
        assert_true(out.size <= out.size_max);
        buffer_deinit(&out);
        if (error_is(error) && error.code != ERROR_LIMIT)
            fail_msg("at %zu bytes: %s", limit, error.detail);
    } while (error_is(error));
    assert_true(limit > strlen(json));
    arena_deinit(&arena);
}

static const char of_everything[] =
    "{\"int32One\":1,\"int64One\":\"2\",\"doubleOne\":1.5,\"stringOne\":\"some text\","
    "\"bytesOne\":\"AAAA\",\"colourOne\":\"COLOUR_RED\",\"child\":{\"int32One\":1},"
    "\"stringList\":[\"a\",\"b\"],\"bytesList\":[\"AA==\"],\"children\":[{},{}],"
    "\"byInt32\":{\"1\":\"a\"},\"kindsByString\":{\"k\":{}},\"chosenValue\":[1,{\"a\":null}],"
    "\"timestamp\":\"2026-01-01T00:00:00Z\",\"duration\":\"1s\",\"fieldMask\":\"a,bC\","
    "\"any\":{\"@type\":\"type.googleapis.com/json_kinds.Kinds\",\"stringOne\":\"in Any\"},"
    "\"struct\":{\"x\":[\"y\",true]},\"stringWrapper\":\"w\"}";

/* jansson 2.14 aborts without memory in the midst of a number or a word: it must not see that. */
static void the_tree_is_left_at_every_limit(void **state)
{
    (void)state;
    struct error error;
    size_t limit = 0;
    do {
        struct arena arena;
        json_t *value;
        arena_init(&arena, limit);
        limit += 16;
        error = json_tree_parse(
            text_of("[123456789012345678,-1.25e-300,true,{\"name\":null},\"\"]"), &arena, &value);
        arena_deinit(&arena);
        assert_true(!error_is(error) || error.code == ERROR_LIMIT);
    } while (error_is(error));
    assert_true(limit > 500);
}

static void failed_allocation_is_told_when_reading(void **state)
{
    (void)state;
    struct error error;
    uint64_t successes = 0;
    do {
        struct arena arena;
        ProtobufCMessage *message;
        arena_init(&arena, 1024 * 1024);
        memory_fail_after(successes++, 0);
        error = json_message_read(text_of(of_everything), &json_kinds__kinds__descriptor, false,
                                  &arena, &message);
        memory_fail_after(UINT64_MAX, 0);
        arena_deinit(&arena);
        if (error_is(error) && error.code != ERROR_OUT_OF_MEMORY)
            fail_msg("allocation %llu: %s: %s", (unsigned long long)successes,
                     error_text(error.code), error.detail);
    } while (error_is(error));
    assert_true(successes > 2);
}

static void failed_allocation_is_told_when_writing(void **state)
{
    (void)state;
    struct arena arena;
    ProtobufCMessage *message;
    struct error error;
    uint64_t successes = 0;
    arena_init(&arena, 1024 * 1024);
    assert_false(error_is(json_message_read(text_of(of_everything), &json_kinds__kinds__descriptor,
                                            false, &arena, &message)));
    do {
        struct buffer out;
        buffer_init(&out, 1024 * 1024);
        memory_fail_after(successes++, 0);
        error = json_message_write(message, 0, &out);
        memory_fail_after(UINT64_MAX, 0);
        buffer_deinit(&out);
        if (error_is(error) && error.code != ERROR_OUT_OF_MEMORY && error.code != ERROR_LIMIT)
            fail_msg("allocation %llu: %s: %s", (unsigned long long)successes,
                     error_text(error.code), error.detail);
    } while (error_is(error));
    assert_true(successes > 2);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_32_bits_are_numbers),
        cmocka_unit_test(numbers_of_64_bits_are_strings),
        cmocka_unit_test(whole_numbers_come_in_any_notation),
        cmocka_unit_test(what_is_no_whole_number_is_refused),
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(real_numbers_are_written_in_their_shortest_form),
        cmocka_unit_test(not_a_number_and_the_infinities_are_strings),
        cmocka_unit_test(truths_are_true_and_false),
        cmocka_unit_test(strings_keep_every_character),
        cmocka_unit_test(string_that_is_not_utf8_is_not_written),
        cmocka_unit_test(bytes_are_base64_of_either_alphabet),
        cmocka_unit_test(enums_go_by_name_and_come_by_number_too),
        cmocka_unit_test(unknown_enum_number_is_kept_and_unknown_name_refused),
        cmocka_unit_test(lists_keep_their_order),
        cmocka_unit_test(null_is_as_if_it_were_not_there),
        cmocka_unit_test(null_in_a_list_or_a_map_is_refused),
        cmocka_unit_test(maps_are_objects_whatever_their_keys),
        cmocka_unit_test(bad_keys_of_maps_are_refused),
        cmocka_unit_test(map_entry_without_its_value_is_an_empty_one),
        cmocka_unit_test(one_of_a_oneof_is_kept_even_at_its_default),
        cmocka_unit_test(names_come_in_both_forms_and_go_in_lower_camel_case),
        cmocka_unit_test(fields_given_twice_are_refused),
        cmocka_unit_test(unknown_fields_are_refused_unless_they_may_be_ignored),
        cmocka_unit_test(path_names_the_value_that_is_wrong),
        cmocka_unit_test(path_that_is_too_long_ends_with_a_whole_character),
        cmocka_unit_test(text_that_is_no_json_is_told_with_line_and_column),
        cmocka_unit_test(indented_form_has_a_member_a_line),
        cmocka_unit_test(messages_nest_as_deep_as_they_may_and_no_deeper),
        cmocka_unit_test(depth_bombs_are_refused),
        cmocka_unit_test(huge_input_is_bounded_in_memory),
        cmocka_unit_test(writing_stops_at_the_limit_of_the_buffer),
        cmocka_unit_test(the_tree_is_left_at_every_limit),
        cmocka_unit_test(failed_allocation_is_told_when_reading),
        cmocka_unit_test(failed_allocation_is_told_when_writing),
    };
    json_kit_prepare();
    return cmocka_run_group_tests_name("json_message", tests, NULL, NULL);
}
