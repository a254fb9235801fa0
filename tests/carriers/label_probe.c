/*
 * Draws labels for the tests that read them: one request a line of JSON on standard input, each
 * into the file that it names. A request that is refused is told as a line on standard output.
 *
 *   {"out": FILE, "format": "pdf", "origin": {…}, "destination": {…}, "numbers": […],
 *    "grams": […], "only": 0, "carrier", "service", "shipment_id", "reference", "return": false}
 */
#include "platform/base/check.h"
#include "shipping/infrastructure/labels/label_drawer.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct text text_at(const json_t *object, const char *key)
{
    return text_of(json_string_value(json_object_get(object, key)));
}

static struct shipping_address address_of(const json_t *object)
{
    struct shipping_address address = {
        .name = text_at(object, "name"),
        .company = text_at(object, "company"),
        .phone = text_at(object, "phone"),
        .city = text_at(object, "city"),
        .region = text_at(object, "region"),
        .postal_code = text_at(object, "postal_code"),
        .country_code = text_at(object, "country_code"),
    };
    const json_t *lines = json_object_get(object, "lines");
    for (size_t i = 0; i < json_array_size(lines) && i < shipping_address_lines_max; i++)
        address.lines[address.line_count++] = text_of(json_string_value(json_array_get(lines, i)));
    return address;
}

static enum shipping_label_format format_of(struct text name)
{
    if (text_equals_string(name, "zpl"))
        return SHIPPING_LABEL_ZPL;
    return text_equals_string(name, "png") ? SHIPPING_LABEL_PNG : SHIPPING_LABEL_PDF;
}

static void draw(const json_t *asked)
{
    struct text numbers[shipping_parcels_max];
    struct shipping_parcel parcels[shipping_parcels_max] = {0};
    struct shipping_address origin = address_of(json_object_get(asked, "origin"));
    struct shipping_address destination = address_of(json_object_get(asked, "destination"));
    struct label_request request = {
        .format = format_of(text_at(asked, "format")),
        .carrier = text_at(asked, "carrier"),
        .service_name = text_at(asked, "service"),
        .shipment_id = text_at(asked, "shipment_id"),
        .reference = text_at(asked, "reference"),
        .origin = &origin,
        .destination = &destination,
        .ship_date = "2026-11-25",
        .direction =
            json_is_true(json_object_get(asked, "return")) ? SHIPPING_RETURN : SHIPPING_OUTBOUND,
        .parcels = parcels,
        .parcel_count = json_array_size(json_object_get(asked, "grams")),
        .tracking_numbers = numbers,
        .tracking_number_count = json_array_size(json_object_get(asked, "numbers")),
        .only = (size_t)json_integer_value(json_object_get(asked, "only")),
    };
    const char *out = json_string_value(json_object_get(asked, "out"));
    struct buffer content;
    CHECK(out != NULL && request.parcel_count <= shipping_parcels_max &&
          request.tracking_number_count <= shipping_parcels_max);
    for (size_t i = 0; i < request.parcel_count; i++)
        parcels[i].weight_grams =
            json_integer_value(json_array_get(json_object_get(asked, "grams"), i));
    for (size_t i = 0; i < request.tracking_number_count; i++)
        numbers[i] =
            text_of(json_string_value(json_array_get(json_object_get(asked, "numbers"), i)));
    buffer_init(&content, label_content_bytes_max);
    struct error error = label_draw(label_drawer_local(), &request, &content);
    if (error_is(error)) {
        printf("%s: %s\n", out, error.detail);
    } else {
        FILE *file = fopen(out, "wb");
        CHECK(file != NULL && fwrite(content.data, 1, content.size, file) == content.size);
        CHECK(fclose(file) == 0);
    }
    buffer_deinit(&content);
}

int main(void)
{
    json_error_t wrong;
    for (;;) {
        json_t *asked = json_loadf(stdin, JSON_DISABLE_EOF_CHECK, &wrong);
        if (asked == NULL)
            break;
        draw(asked);
        json_decref(asked);
    }
    return 0;
}
