/*
 * Goal: the real data set is read with the figures that its README gives; orders, products and sums
 * are right wherever the lines stand; each used field is checked and blamed by line and column.
 * Method: data/scms_deliveries.csv, and small tables in memory.
 */
#include "main/replay/data/data_set.h"

#include "main/replay/data/item_weights.h"
#include "platform/base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEADER "ASN/DN #,Item Description,Line Item Quantity\n"

static struct error read_string(struct data_set *data_set, const char *table)
{
    return data_set_read_bytes(data_set, "t.csv", text_of(table));
}

static void expect_refusal(const char *table, const char *detail)
{
    struct data_set data_set;
    struct error error = read_string(&data_set, table);
    assert_int_equal(error.code, ERROR_INVALID_INPUT);
    assert_string_equal(error.detail, detail);
}

static void real_file_has_its_known_figures(void **state)
{
    struct data_set data_set;
    (void)state;
    const char *path = getenv("WAYBILL_DATA_SET");
    assert_non_null(path);
    struct error error = data_set_read(&data_set, file_system_posix(), path);
    assert_string_equal(error.detail, "");
    assert_int_equal(data_set.line_count, 10324);
    assert_int_equal(data_set.summed_line_count, 9610);
    assert_int_equal(data_set.packs, 189265090);
    assert_int_equal(data_set.order_count, 7030);
    assert_int_equal(data_set.product_count, 184);
    uint32_t line_count_max = 0;
    uint32_t repeating = 0;
    size_t long_names = 0;
    for (uint32_t i = 0; i < data_set.order_count; i++) {
        const struct data_set_order *order = &data_set.orders[i];
        if (order->line_count > line_count_max)
            line_count_max = order->line_count;
        repeating += order->sku_count < order->line_count;
    }
    for (uint32_t i = 0; i < data_set.product_count; i++)
        long_names += data_set.products[i].description.size > 64;
    assert_int_equal(line_count_max, 54);
    assert_int_equal(repeating, 475);
    assert_int_equal(long_names, 30);
    data_set_deinit(&data_set);
}

static void real_file_tells_where_goods_come_from_and_go_to(void **state)
{
    struct data_set data_set;
    uint32_t from_centres = 0;
    uint32_t weighed = 0;
    uint32_t late = 0;
    int64_t grams = 0;
    (void)state;
    struct error error = data_set_read(&data_set, file_system_posix(), getenv("WAYBILL_DATA_SET"));
    assert_string_equal(error.detail, "");
    assert_true(data_set.has_logistics);
    assert_int_equal(data_set.country_count, 43);
    assert_int_equal(data_set.site_count, 85);
    assert_int_equal(data_set.group_count, 5);
    assert_int_equal(data_set.never_weighed_count, 24);
    for (uint32_t i = 0; i < data_set.line_count; i++) {
        const struct data_set_line *line = &data_set.lines[i];
        from_centres += line->site == data_set_nowhere;
        weighed += line->weight_grams >= 0;
        grams += line->weight_grams >= 0 ? line->weight_grams : 0;
        late += line->delivered_day > line->scheduled_day;
    }
    assert_int_equal(from_centres, 5404);
    assert_int_equal(weighed, 6372);
    assert_int_equal(grams / 1000000, 21820);
    assert_int_equal(late, 1186);
    data_set_deinit(&data_set);
}

#define LOGISTICS                                                                                  \
    "ASN/DN #,Item Description,Line Item Quantity,Country,Fulfill Via,Manufacturing Site,"         \
    "Product Group,Line Item Value,Weight (Kilograms),Freight Cost (USD),"                         \
    "Scheduled Delivery Date,Delivered to Client Date\n"

static void weight_of_an_item_is_the_median_of_its_weighed_lines_or_of_its_group(void **state)
{
    struct data_set data_set;
    (void)state;
    struct error error = read_string(
        &data_set, LOGISTICS "A,x,10,Benin,From RDC,S,ARV,1,1,See DN-1,2-Jun-06,3-Jun-06\n"
                             "A,x,10,Benin,From RDC,S,ARV,1,5,780.345,2-Jun-06,3-Jun-06\n"
                             "B,x,10,Ghana,Direct Drop,S,ARV,1.5,90,0,29-Feb-08,1-Jan-70\n"
                             "B,y,10,Ghana,Direct Drop,T,ARV,1,See DN-1,1,2-Jun-06,3-Jun-06\n"
                             "B,z,1000000,Ghana,Direct Drop,S,HRDT,1,1,1,2-Jun-06,3-Jun-06\n");
    assert_string_equal(error.detail, "");
    assert_int_equal(data_set.products[0].weight_grams, 500);
    assert_int_equal(data_set.products[1].weight_grams, 500); /* the group's */
    assert_int_equal(data_set.products[2].weight_grams, 1);   /* at least */
    assert_int_equal(data_set.never_weighed_count, 1);
    assert_int_equal(data_set.lines[0].freight_minor, -1);
    assert_int_equal(data_set.lines[1].freight_minor, 78035);
    assert_int_equal(data_set.lines[2].value_minor, 150);
    assert_int_equal(data_set.lines[2].scheduled_day, 13938); /* date -u -d 2008-02-29 +%s */
    assert_int_equal(data_set.lines[2].delivered_day, 0);
    assert_int_equal(data_set.lines[3].site, 1);
    data_set_deinit(&data_set);
}

static void item_is_a_cube_at_250_kilograms_a_cubic_metre(void **state)
{
    (void)state;
    assert_int_equal(item_edge_mm(1), 16); /* 4,000 mm³ */
    assert_int_equal(item_edge_mm(2), 20); /* exactly */
    assert_int_equal(item_edge_mm(250000), 1000);
    assert_int_equal(item_edge_mm(250001), 1001);
}

static void bad_logistics_are_refused_by_line_and_column(void **state)
{
    (void)state;
    expect_refusal(LOGISTICS "A,x,1,,From RDC,S,ARV,1,1,1,2-Jun-06,3-Jun-06\n"
                             "A,x,1,Benin,By hand,S,ARV,1,1,1,2-Jun-06,3-Jun-06\n",
                   "t.csv:3: Country: is needed on every line or on none");
    expect_refusal(LOGISTICS "A,x,1,Benin,By hand,S,ARV,1,1,1,2-Jun-06,3-Jun-06\n",
                   "t.csv:2: Fulfill Via: must be From RDC or Direct Drop");
    expect_refusal(LOGISTICS "A,x,1,Benin,From RDC,S,ARV,-1,1,1,2-Jun-06,3-Jun-06\n",
                   "t.csv:2: Line Item Value: must be an amount up to 10^13");
    expect_refusal(LOGISTICS "A,x,1,Benin,From RDC,S,ARV,1,1,1,29-Feb-07,3-Jun-06\n",
                   "t.csv:2: Scheduled Delivery Date: must be a day like 2-Jun-06");
    expect_refusal(LOGISTICS "A,x,1,Benin,From RDC,S,ARV,1,1,1,2-Jun-06,3-Jun-06\n"
                             "A,x,1,Ghana,From RDC,S,ARV,1,1,1,2-Jun-06,3-Jun-06\n",
                   "t.csv:3: Country: is not that of the order's other lines");
    expect_refusal(LOGISTICS "A,x,1,Benin,From RDC,S,ARV,1,heavy,1,2-Jun-06,3-Jun-06\n",
                   "t.csv: no line tells a weight of x, nor of anything in its group ARV");
}

static void sku_is_made_of_the_description(void **state)
{
    struct data_set data_set;
    (void)state;
    /* printf '%s' 'Nevirapine, 240 ml' | sha256sum */
    struct error error = read_string(&data_set, HEADER "A,\"Nevirapine, 240 ml\",3\n");
    assert_string_equal(error.detail, "");
    assert_string_equal(data_set.products[0].sku.data, "SCMS-8e1c3d6fef");
    assert_string_equal(data_set.products[0].description.data, "Nevirapine, 240 ml");
    data_set_deinit(&data_set);
}

static void lines_find_their_order_wherever_they_stand(void **state)
{
    struct data_set data_set;
    (void)state;
    struct error error =
        read_string(&data_set, HEADER "A,x,1\nB,x,10\nA,y,2\nB,y,20\nA,x,4\nC,z,100\n");
    assert_string_equal(error.detail, "");
    assert_int_equal(data_set.order_count, 3);
    assert_int_equal(data_set.product_count, 3);
    assert_int_equal(data_set.line_count, 6);
    assert_int_equal(data_set.summed_line_count, 5);
    assert_int_equal(data_set.packs, 137);
    const struct data_set_order *order = &data_set.orders[0];
    assert_string_equal(order->order_id.data, "A");
    assert_int_equal(order->line_count, 3);
    assert_int_equal(order->sku_count, 2);
    assert_int_equal(order->packs, 7);
    static const struct data_set_line lines[] = {{0, 1}, {1, 2}, {0, 4}};
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(data_set.lines[order->first_line + i].product, lines[i].product);
        assert_int_equal(data_set.lines[order->first_line + i].packs, lines[i].packs);
    }
    assert_int_equal(data_set.products[0].packs, 15);
    assert_int_equal(data_set.products[1].packs, 22);
    uint32_t place;
    assert_true(data_set_find_order(&data_set, text_of("C"), &place));
    assert_int_equal(place, 2);
    assert_false(data_set_find_order(&data_set, text_of("D"), &place));
    data_set_deinit(&data_set);
}

static void digest_is_that_of_the_bytes(void **state)
{
    struct data_set one;
    struct data_set other;
    (void)state;
    assert_false(error_is(read_string(&one, HEADER "A,x,1\n")));
    assert_false(error_is(read_string(&other, HEADER "A,x,1\n\n")));
    /* printf 'ASN/DN #,Item Description,Line Item Quantity\nA,x,1\n' | sha256sum */
    static const uint8_t start[] = {0xdc, 0xc9, 0xf4, 0x86};
    assert_memory_equal(one.digest, start, sizeof start);
    assert_memory_not_equal(one.digest, other.digest, sizeof one.digest);
    data_set_deinit(&one);
    data_set_deinit(&other);
}

static void bad_fields_are_refused_by_line_and_column(void **state)
{
    static const char order[] =
        "t.csv:3: ASN/DN #: an order is named by 1 to 32 of A-Z a-z 0-9 . _ : -";
    static const char packs[] =
        "t.csv:3: Line Item Quantity: must be a whole number from 1 to 1000000000000";
    (void)state;
    expect_refusal(HEADER "A,x,1\n,x,1\n", order);
    expect_refusal(HEADER "A,x,1\nA B,x,1\n", order);
    expect_refusal(HEADER "A,x,1\n123456789012345678901234567890123,x,1\n", order);
    expect_refusal(HEADER "A,x,1\nA,x,\n", packs);
    expect_refusal(HEADER "A,x,1\nA,x,0\n", packs);
    expect_refusal(HEADER "A,x,1\nA,x,-1\n", packs);
    expect_refusal(HEADER "A,x,1\nA,x, 1\n", packs);
    expect_refusal(HEADER "A,x,1\nA,x,1.5\n", packs);
    expect_refusal(HEADER "A,x,1\nA,x,1000000000001\n", packs);
    expect_refusal(HEADER "A,x,1\nA,x,99999999999999999999\n", packs);
    expect_refusal(HEADER "A,x,1\nA,,1\n", "t.csv:3: Item Description: must have 1 to 256 bytes");
    expect_refusal(HEADER "A,\xC3,1\n", "t.csv:2: Item Description: is not UTF-8");
    expect_refusal(HEADER "A,a\tb,1\n", "t.csv:2: Item Description: holds a control character");
}

static void sums_beyond_a_receipt_are_refused(void **state)
{
    (void)state;
    expect_refusal(HEADER "A,x,1000000000000\nB,x,1\n",
                   "t.csv:3: Line Item Quantity: brings the product's sum above 1000000000000");
}

static void order_of_more_than_100_lines_is_refused(void **state)
{
    char table[2048] = HEADER;
    (void)state;
    for (int i = 0; i < 100; i++)
        strcat(table, "A,x,1\n");
    struct data_set data_set;
    assert_false(error_is(read_string(&data_set, table)));
    data_set_deinit(&data_set);
    strcat(table, "A,x,1\n");
    expect_refusal(table, "t.csv:102: ASN/DN #: has more than 100 lines");
}

static void file_without_lines_is_refused(void **state)
{
    (void)state;
    expect_refusal(HEADER, "t.csv: there is no line behind the header");
    expect_refusal("a,b\n1,2\n", "t.csv:1: the header names column 'ASN/DN #' nowhere");
}

static void missing_file_is_an_error(void **state)
{
    struct data_set data_set;
    (void)state;
    struct error error = data_set_read(&data_set, file_system_posix(), "/nowhere/at/all.csv");
    assert_int_equal(error.code, ERROR_NOT_FOUND);
}

static void every_failing_allocation_is_an_error(void **state)
{
    (void)state;
    for (uint64_t successes = 0;; successes++) {
        struct data_set data_set;
        memory_fail_after(successes, 1);
        struct error error = read_string(&data_set, HEADER "A,x,1\nB,\"y\",1\n");
        memory_fail_after(UINT64_MAX, 0);
        if (!error_is(error)) {
            data_set_deinit(&data_set);
            return;
        }
        assert_int_equal(error.code, ERROR_OUT_OF_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_file_has_its_known_figures),
        cmocka_unit_test(real_file_tells_where_goods_come_from_and_go_to),
        cmocka_unit_test(weight_of_an_item_is_the_median_of_its_weighed_lines_or_of_its_group),
        cmocka_unit_test(item_is_a_cube_at_250_kilograms_a_cubic_metre),
        cmocka_unit_test(bad_logistics_are_refused_by_line_and_column),
        cmocka_unit_test(sku_is_made_of_the_description),
        cmocka_unit_test(lines_find_their_order_wherever_they_stand),
        cmocka_unit_test(digest_is_that_of_the_bytes),
        cmocka_unit_test(bad_fields_are_refused_by_line_and_column),
        cmocka_unit_test(sums_beyond_a_receipt_are_refused),
        cmocka_unit_test(order_of_more_than_100_lines_is_refused),
        cmocka_unit_test(file_without_lines_is_refused),
        cmocka_unit_test(missing_file_is_an_error),
        cmocka_unit_test(every_failing_allocation_is_an_error),
    };
    return cmocka_run_group_tests_name("data_set", tests, NULL, NULL);
}
