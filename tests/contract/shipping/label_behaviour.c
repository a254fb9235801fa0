/* Labels as carriers give them, and the audit trail. */
#include "tests/contract/shipping/shipping_contract.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "tests/support/shipping/shipping_copy.h"

#include <string.h>

static enum shipping_outcome label(struct shipping_kit *kit, const char *id, size_t parcel,
                                   enum shipping_label_format format, const char *expected)
{
    struct get_label_command *get =
        shipping_kit_command(kit, COMMAND_GET_SHIPMENT_LABEL, sizeof *get);
    get->shipment_id = text_of(id);
    get->parcel = parcel;
    get->format = format;
    enum shipping_outcome outcome = shipping_kit_ask(kit, &get->base);
    if (outcome == SHIPPING_DONE)
        assert_true(text_equals_string(get->content, expected));
    else
        assert_int_equal(get->content.size, 0);
    if (outcome != SHIPPING_SHIPMENT_NOT_FOUND)
        assert_true(text_equals_string(get->shipment.shipment_id, id));
    return outcome;
}

static void a_label_is_its_parcels_own_else_the_whole_shipments(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "S", 2, SHIPMENT_CREATED); /* three parcels, two of them with labels */
    assert_int_equal(label(kit, "S", 0, SHIPPING_LABEL_ZPL, "^XAN-S.0"), SHIPPING_DONE);
    assert_int_equal(label(kit, "S", 1, SHIPPING_LABEL_ZPL, "^XAN-S.1"), SHIPPING_DONE);
    assert_int_equal(label(kit, "S", 2, SHIPPING_LABEL_ZPL, ""), SHIPPING_LABEL_NOT_FOUND);
    assert_int_equal(label(kit, "S", 0, SHIPPING_LABEL_PDF, "%PDF-N-S.2"), SHIPPING_DONE);
    assert_int_equal(label(kit, "S", 2, SHIPPING_LABEL_PDF, "%PDF-N-S.2"), SHIPPING_DONE);
    assert_int_equal(label(kit, "S", 3, SHIPPING_LABEL_PDF, ""), SHIPPING_LABEL_NOT_FOUND);
    assert_int_equal(label(kit, "S", 0, SHIPPING_LABEL_PNG, ""), SHIPPING_LABEL_NOT_FOUND);
    assert_int_equal(label(kit, "T", 0, SHIPPING_LABEL_PDF, ""), SHIPPING_SHIPMENT_NOT_FOUND);
    kit_begin(kit, "I", 0);
    assert_int_equal(label(kit, "I", 0, SHIPPING_LABEL_PDF, ""), SHIPPING_LABEL_NOT_FOUND);
}

static void labels_that_come_later_are_added_once(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "A", 1, SHIPMENT_NEEDS_ATTENTION);
    assert_int_equal(kit_resolve(kit, "A", SHIPMENT_ADOPT, "N"), SHIPPING_DONE);
    assert_int_equal(label(kit, "A", 0, SHIPPING_LABEL_ZPL, ""), SHIPPING_LABEL_NOT_FOUND);
    struct record_purchase_command *again =
        kit_end_command(kit, "A", 1, SHIPMENT_CHANGE_BOUGHT, "N");
    assert_int_equal(shipping_kit_ask(kit, &again->base), SHIPPING_DONE);
    assert_int_equal(label(kit, "A", 1, SHIPPING_LABEL_ZPL, "^XAN.1"), SHIPPING_DONE);
    const struct shipment *shipment = kit_get(kit, "A");
    assert_null(shipping_difference(shipment, &again->shipment, true));
    assert_true(text_equals_string(shipment->parcels[1].tracking_number, "N-1"));
    assert_int_equal(shipment->charged.amount_minor, 1111);
    assert_int_equal(kit_end(kit, "A", 1, SHIPMENT_CHANGE_BOUGHT, "N"), SHIPPING_DONE);
    assert_int_equal(kit_get(kit, "A")->revision, again->shipment.revision);
    assert_string_equal(kit_event_words(kit), "ShipmentCreated:A");
    assert_string_equal(kit_audit_words(kit, "A"),
                        "INTENT SENT UNKNOWN NEEDS_ATTENTION RESOLVE ADOPT LABELS");
}

static void a_large_label_with_any_bytes_comes_back(void **state)
{
    struct shipping_kit *kit = *state;
    size_t size = shipping_label_bytes_max;
    char *bytes = memory_allocate(size);
    CHECK(bytes != NULL);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    kit_begin(kit, "S", 0);
    kit_send(kit, "S", 1);
    struct record_purchase_command *end = kit_end_command(kit, "S", 1, SHIPMENT_CHANGE_BOUGHT, "N");
    struct carrier_shipment *bought = kit_purchase(kit, "N", 1, true);
    ((struct carrier_label *)bought->parcels[0].labels)->content = text_make(bytes, size);
    end->bought = bought;
    assert_int_equal(shipping_kit_ask(kit, &end->base), SHIPPING_DONE);
    struct get_label_command *get =
        shipping_kit_command(kit, COMMAND_GET_SHIPMENT_LABEL, sizeof *get);
    get->shipment_id = text_of("S");
    get->format = SHIPPING_LABEL_ZPL;
    assert_int_equal(shipping_kit_ask(kit, &get->base), SHIPPING_DONE);
    assert_int_equal(get->content.size, size);
    assert_memory_equal(get->content.data, bytes, size);
    memory_release(bytes);
}

/* --- the audit trail --- */

static void calls_are_kept_in_order_with_any_bytes(void **state)
{
    static const char answer[] = "{\"a\":\"\xFF\0\"}";
    struct shipping_kit *kit = *state;
    struct shipping_audit entries[25];
    kit_begin(kit, "S", 0);
    for (size_t i = 0; i < 25; i++)
        entries[i] = (struct shipping_audit){
            .time_us = INT64_C(1800000000000000) + (int64_t)i,
            .shipment_id = text_of(i % 5 == 4 ? "T" : "S"),
            .attempt = 3,
            .what = text_of("create_shipment"),
            .note = text_of("\xC3\xBC"),
            .url = text_of("https://carrier.example/ship"),
            .request = text_of("{}"),
            .status = (int64_t)(200 + i),
            .answer = text_make(answer, sizeof answer - 1),
            .duration_us = 5,
        };
    struct keep_audit_command *keep = shipping_kit_command(kit, COMMAND_KEEP_AUDIT, sizeof *keep);
    keep->entries = entries;
    keep->entry_count = 25;
    assert_int_equal(shipping_kit_ask(kit, &keep->base), SHIPPING_DONE);
    shipping_kit_reopen(kit);
    for (size_t page_size = 1; page_size <= 21; page_size += 5) {
        size_t seen = 0;
        uint64_t after = 0;
        int64_t latest = 0;
        do {
            struct list_audit_command *list =
                shipping_kit_command(kit, COMMAND_LIST_AUDIT, sizeof *list);
            list->shipment_id = text_of("S");
            list->page_size = page_size;
            list->after = after;
            assert_int_equal(shipping_kit_ask(kit, &list->base), SHIPPING_DONE);
            assert_true(list->entry_count <= page_size && list->entry_count > 0);
            for (size_t i = 0; i < list->entry_count; i++) {
                const struct shipping_audit *entry = &list->entries[i];
                if (seen++ == 0)
                    continue; /* INTENT */
                assert_true(entry->status > latest);
                latest = entry->status;
                assert_int_equal(entry->answer.size, sizeof answer - 1);
                assert_memory_equal(entry->answer.data, answer, sizeof answer - 1);
                assert_true(text_equals_string(entry->note, "\xC3\xBC"));
                assert_true(text_equals_string(entry->what, "create_shipment"));
                assert_true(text_equals_string(entry->request, "{}"));
                assert_int_equal(entry->attempt, 3);
                assert_int_equal(entry->duration_us, 5);
                assert_int_equal(entry->time_us, INT64_C(1800000000000000) + entry->status - 200);
            }
            after = list->next;
        } while (after != 0);
        assert_int_equal(seen, 21);
    }
}

static void a_trail_of_large_entries_is_read_by_pages(void **state)
{
    enum { count = 60 };
    struct shipping_kit *kit = *state;
    char *bytes = memory_allocate(shipping_audit_bytes_max);
    CHECK(bytes != NULL);
    memset(bytes, 'x', shipping_audit_bytes_max);
    for (size_t i = 0; i < count; i++) {
        struct shipping_audit entry = {
            .shipment_id = text_of("S"),
            .what = text_of("create_shipment"),
            .request = text_make(bytes, shipping_audit_bytes_max),
            .answer = text_make(bytes, shipping_audit_bytes_max),
        };
        struct keep_audit_command *keep =
            shipping_kit_command(kit, COMMAND_KEEP_AUDIT, sizeof *keep);
        keep->entries = &entry;
        keep->entry_count = 1;
        assert_int_equal(shipping_kit_ask(kit, &keep->base), SHIPPING_DONE);
    }
    memory_release(bytes);
    size_t seen = 0;
    uint64_t after = 0;
    do {
        struct list_audit_command *list =
            shipping_kit_command(kit, COMMAND_LIST_AUDIT, sizeof *list);
        list->shipment_id = text_of("S");
        list->page_size = 1000;
        list->after = after;
        assert_int_equal(shipping_kit_ask(kit, &list->base), SHIPPING_DONE);
        if (kit->kind != SHIPPING_KIT_MODEL)
            assert_true(arena_used(list->base.arena) < (size_t)4 * 1024 * 1024);
        seen += list->entry_count;
        after = list->next;
        shipping_kit_reset(kit);
    } while (after != 0);
    assert_int_equal(seen, count);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(a_label_is_its_parcels_own_else_the_whole_shipments),
    cmocka_unit_test(labels_that_come_later_are_added_once),
    cmocka_unit_test(a_large_label_with_any_bytes_comes_back),
    cmocka_unit_test(calls_are_kept_in_order_with_any_bytes),
    cmocka_unit_test(a_trail_of_large_entries_is_read_by_pages),
};
const struct shipping_cases label_cases = {cases, sizeof cases / sizeof cases[0]};
