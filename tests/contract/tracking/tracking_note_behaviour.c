/*
 * Goal: as many notes of a prefix as a command allows and not one more, also when many ask at once;
 * one that is there is answered and changed all the same, and one that goes makes room.
 * Method: a handful by hand, then many in one step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/contract/tracking/tracking_note_behaviour.h"

#include <stdio.h>
#include <string.h>

enum { notes_max = 3, at_once = 20 };

struct note_call {
    struct tracking_call call;
    char name[16];
};

static void fill(struct note_call *put, const char *prefix, int number, const char *value)
{
    *put = (struct note_call){.call.kind = TRACKING_CALL_PUT_NOTE};
    snprintf(put->name, sizeof put->name, "%s%02d", prefix, number);
    put->call.put_note.value = text_of(value);
    put->call.put_note.limited_prefix = text_of("a/");
    put->call.put_note.count_max = notes_max;
}

static enum tracking_outcome put(struct tracking_caller *caller, const char *prefix, int number,
                                 const char *value, bool only_if_absent)
{
    struct note_call put;
    fill(&put, prefix, number, value);
    put.call.put_note.name = text_of(put.name);
    put.call.put_note.only_if_absent = only_if_absent;
    tracking_call_run(caller, &put.call);
    assert_string_equal(caller->error.detail, "");
    return put.call.base.outcome;
}

static size_t count(struct tracking_caller *caller)
{
    struct tracking_call call = {.kind = TRACKING_CALL_LIST_NOTES};
    call.list_notes.prefix = text_of("a/");
    call.list_notes.page_size = 100;
    tracking_call_run(caller, &call);
    assert_string_equal(caller->error.detail, "");
    return call.list_notes.note_count;
}

/* Many in one step, some names more than once: the first of a name is what the others find. */
static void put_at_once(struct tracking_caller *caller)
{
    struct tracking_call calls[at_once];
    struct note_call made[at_once];
    for (int i = 0; i < at_once; i++) {
        fill(&made[i], "c", i / 2, i % 2 == 0 ? "first" : "second");
        calls[i] = made[i].call;
        calls[i].put_note.name = text_of(made[i].name);
        calls[i].put_note.only_if_absent = true;
        calls[i].put_note.count_max = 0;
    }
    tracking_call_run_all(caller, calls, at_once);
    for (int i = 0; i < at_once; i++) {
        assert_int_equal(calls[i].base.outcome, TRACKING_DONE);
        assert_true(text_equals_string(calls[i].put_note.value, "first"));
    }
}

void tracking_note_behaviour(struct tracking_caller *caller)
{
    struct tracking_call calls[at_once];
    struct note_call made[at_once];
    size_t refused = 0;
    for (int i = 0; i < 5; i++) { /* others, before and behind, count for nothing */
        assert_int_equal(put(caller, "a", i, "v", false), TRACKING_DONE);
        assert_int_equal(put(caller, "b", i, "v", false), TRACKING_DONE);
    }
    for (int i = 0; i < notes_max; i++)
        assert_int_equal(put(caller, "a/", i, "v", true), TRACKING_DONE);
    assert_int_equal(put(caller, "a/", 9, "v", true), TRACKING_NOTE_LIMIT);
    assert_int_equal(put(caller, "a/", 9, "v", false), TRACKING_NOTE_LIMIT);
    assert_int_equal(put(caller, "a/", 9, "", false), TRACKING_NOT_FOUND);
    assert_int_equal(put(caller, "a/", 1, "w", true), TRACKING_DONE);
    assert_int_equal(put(caller, "a/", 1, "w", false), TRACKING_DONE);
    assert_int_equal(count(caller), notes_max);
    assert_int_equal(put(caller, "a/", 1, "", false), TRACKING_DONE);
    assert_int_equal(put(caller, "a/", 2, "", false), TRACKING_DONE);
    for (int i = 0; i < at_once; i++) {
        fill(&made[i], "a/", 20 + i, "v");
        calls[i] = made[i].call;
        calls[i].put_note.name = text_of(made[i].name);
    }
    tracking_call_run_all(caller, calls, at_once);
    for (int i = 0; i < at_once; i++)
        refused += calls[i].base.outcome == TRACKING_NOTE_LIMIT;
    assert_int_equal(refused, at_once - 2);
    assert_int_equal(count(caller), notes_max);
    put_at_once(caller);
}
