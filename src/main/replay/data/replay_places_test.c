/*
 * Goal: every site and country of the real data set has a place, every table's fault is blamed by
 * file, line and column. Method: the tables under data/, and small ones in a temporary folder.
 */
#include "main/replay/data/replay_places.h"

#include "tests/support/temporary_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEADER                                                                                     \
    "ASN/DN #,Item Description,Line Item Quantity,Country,Fulfill Via,Manufacturing Site,"         \
    "Product Group,Line Item Value,Weight (Kilograms),Freight Cost (USD),"                         \
    "Scheduled Delivery Date,Delivered to Client Date\n"

static const char sites[] = "site,warehouse_id,place,country_code,latitude,longitude\n"
                            "From RDC,RDC,Tema,GH,5.6698,-0.0166\n"
                            "S,MAKER,Oslo,NO,59.9140,10.7520\n";
static const char countries[] = "country,country_code,place,latitude,longitude\n"
                                "Benin,BJ,Cotonou,6.3703,2.3912\n";
static const char cards[] =
    "kind,valid_from,handling,parcel_grams_max,distance_metres_max,base,per_kilogram\n"
    "centre,2006-01-01,35.00,30000,500000,3.00,0.40\n"
    "site,2006-01-01,35.00,30000,500000,3.00,0.40\n";

static void write_table(const char *folder, const char *name, const char *content)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void every_site_and_country_of_the_real_data_has_its_place(void **state)
{
    struct data_set data_set;
    struct replay_places places;
    char folder[512];
    (void)state;
    const char *path = getenv("WAYBILL_DATA_SET");
    assert_non_null(path);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    struct error error = data_set_read(&data_set, file_system_posix(), path);
    assert_string_equal(error.detail, "");
    error = replay_places_read(&places, file_system_posix(), folder, &data_set);
    assert_string_equal(error.detail, "");
    assert_int_equal(places.warehouse_count, 88);
    assert_int_equal(places.centre_count, 3);
    assert_int_equal(places.country_count, 43);
    assert_string_equal(places.warehouses[1].warehouse_id, "RDC-KENYA");
    assert_int_equal(places.warehouses[1].place.latitude_e7, -12864000);
    assert_int_equal(places.cards[0].bands[4].distance_metres_max, 20100000);
    assert_int_equal(places.cards[1].handling_minor, 3500);
    replay_places_deinit(&places);
    data_set_deinit(&data_set);
}

static void expect(const char *name, const char *content, const char *detail)
{
    struct data_set data_set;
    struct replay_places places;
    struct temporary_directory folder;
    temporary_directory_create(&folder);
    struct error error = data_set_read_bytes(
        &data_set, "t.csv",
        text_of(HEADER "A,x,1,Benin,Direct Drop,S,ARV,1,1,1,2-Jun-06,3-Jun-06\n"));
    assert_string_equal(error.detail, "");
    write_table(folder.path, "sites.csv", sites);
    write_table(folder.path, "places.csv", countries);
    write_table(folder.path, "cost_cards.csv", cards);
    write_table(folder.path, name, content);
    error = replay_places_read(&places, file_system_posix(), folder.path, &data_set);
    if (!error_is(error))
        replay_places_deinit(&places);
    assert_non_null(strstr(error.detail, detail));
    temporary_directory_remove(&folder);
    data_set_deinit(&data_set);
}

static void faults_of_tables_are_blamed_by_file_line_and_column(void **state)
{
    (void)state;
    expect("sites.csv", sites, "");
    expect("sites.csv",
           "site,warehouse_id,place,country_code,latitude,longitude\n"
           "From RDC,RDC,Tema,GH,95.6698,-0.0166\n",
           "sites.csv:2: latitude: must be degrees from -90 to 90");
    expect("sites.csv",
           "site,warehouse_id,place,country_code,latitude,longitude\n"
           "From RDC,RDC,Tema,GH,5.6698,-0.0166\n",
           "sites.csv: names no site 'S'");
    expect("sites.csv",
           "site,warehouse_id,place,country_code,latitude,longitude\n"
           "S,MAKER,Oslo,NO,59.9140,10.7520\n",
           "sites.csv: names no distribution centre");
    expect("places.csv", "country,country_code,place,latitude,longitude\nGhana,GH,Accra,5.6,-0.2\n",
           "places.csv: names no country 'Benin'");
    expect("places.csv",
           "country,country_code,place,latitude,longitude\nGhana,GHA,Accra,5.6,-0.2\n",
           "places.csv:2: country_code: must be two letters of ISO 3166-1");
    expect("cost_cards.csv",
           "kind,valid_from,handling,parcel_grams_max,distance_metres_max,base,per_kilogram\n"
           "centre,2006-01-01,35.00,30000,500000,3.00,0.40\n"
           "centre,2006-01-01,35.00,30000,500000,3.00,0.40\n",
           "cost_cards.csv:3: distance_metres_max: must be whole metres, more than before");
    expect("cost_cards.csv",
           "kind,valid_from,handling,parcel_grams_max,distance_metres_max,base,per_kilogram\n"
           "centre,2006-1-1,35.00,30000,500000,3.00,0.40\n",
           "cost_cards.csv:2: valid_from: must be a day like 2006-01-01");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_site_and_country_of_the_real_data_has_its_place),
        cmocka_unit_test(faults_of_tables_are_blamed_by_file_line_and_column),
    };
    return cmocka_run_group_tests_name("replay_places", tests, NULL, NULL);
}
