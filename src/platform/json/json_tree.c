/*
 * jansson's tree takes up to a hundred times its text ("[{},{},…"), so its memory is counted, by
 * thread because jansson's allocator has no context, and bounded by the text's size.
 */
#include "platform/json/json_tree.h"

#include "platform/base/memory.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { tree_bytes_base = 64 * 1024, tree_bytes_a_byte = 32 };

enum tree_failure { TREE_FAILURE_NONE, TREE_FAILURE_SIZE, TREE_FAILURE_MEMORY };

static _Thread_local size_t tree_bytes_left = SIZE_MAX; /* others here use jansson, too */
static _Thread_local enum tree_failure tree_failure;    /* jansson may go on without */

static void *allocate_for_tree(size_t size)
{
    if (size > tree_bytes_left) {
        tree_failure = TREE_FAILURE_SIZE;
        return NULL;
    }
    if (tree_bytes_left != SIZE_MAX)
        tree_bytes_left -= size;
    void *block = memory_allocate(size);
    if (block == NULL)
        tree_failure = TREE_FAILURE_MEMORY;
    return block;
}

static void use_our_memory(void)
{
    json_set_alloc_funcs(allocate_for_tree, memory_release);
}

static struct error syntax_error(json_error_t *wrong)
{
    if (json_error_code(wrong) == json_error_null_character)
        return error_make(ERROR_INVALID_INPUT, "line %d column %d: a string must not hold \\u0000",
                          wrong->line, wrong->column);
    char *near = strstr(wrong->text, " near ");
    if (near != NULL && !text_is_utf8(text_of(near)))
        *near = '\0'; /* jansson may cut within a character */
    return error_make(ERROR_INVALID_INPUT, "line %d column %d: %s", wrong->line, wrong->column,
                      wrong->text);
}

struct error json_tree_parse(struct text json, json_t **value)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    json_error_t wrong;
    pthread_once(&once, use_our_memory);
    tree_bytes_left = tree_bytes_base + tree_bytes_a_byte * json.size;
    tree_failure = TREE_FAILURE_NONE;
    *value = json_loadb(json.data == NULL ? "" : json.data, json.size,
                        JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &wrong);
    tree_bytes_left = SIZE_MAX;
    if (tree_failure != TREE_FAILURE_NONE) {
        json_decref(*value);
        *value = NULL;
    }
    if (tree_failure == TREE_FAILURE_SIZE)
        return error_make(ERROR_LIMIT, "the JSON takes too much memory");
    if (tree_failure == TREE_FAILURE_MEMORY)
        return error_make(ERROR_OUT_OF_MEMORY, "reading JSON");
    if (*value != NULL)
        return error_none();
    return syntax_error(&wrong);
}
