/*
 * jansson 2.14 aborts when it gets no memory within a number or a word (lex_unget_unsave asserts
 * that what it could not save is there). So a failed allocation never reaches it: everything that
 * it takes while it parses comes from an arena, and without memory the parse is left by longjmp;
 * what it had built goes with the arena. jansson's allocator has no context, hence the thread's.
 */
#include "platform/json/json_tree.h"

#include "platform/base/memory.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

struct tree_memory {
    struct arena *arena;
    struct error error;
    jmp_buf without_memory;
};

static _Thread_local struct tree_memory *tree_memory; /* while this thread parses */

static void *allocate_for_tree(size_t size)
{
    if (tree_memory == NULL)
        return memory_allocate(size); /* others use jansson, too */
    void *block = arena_allocate(tree_memory->arena, size);
    if (block != NULL)
        return block;
    tree_memory->error = arena_is_full(tree_memory->arena, size)
                             ? error_make(ERROR_LIMIT, "the JSON takes too much memory")
                             : error_make(ERROR_OUT_OF_MEMORY, "reading JSON");
    longjmp(tree_memory->without_memory, 1);
}

static void release_of_tree(void *block)
{
    if (tree_memory == NULL)
        memory_release(block);
}

static void use_our_memory(void)
{
    json_set_alloc_funcs(allocate_for_tree, release_of_tree);
}

size_t json_tree_bytes_max(size_t text_size)
{
    static const size_t base = 64 * 1024, each = 32;
    return base + each * text_size;
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

struct error json_tree_parse(struct text json, struct arena *arena, json_t **value)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct tree_memory memory = {.arena = arena, .error = error_none()};
    json_error_t wrong;
    pthread_once(&once, use_our_memory);
    *value = NULL;
    tree_memory = &memory;
    if (setjmp(memory.without_memory) == 0)
        *value = json_loadb(json.data == NULL ? "" : json.data, json.size,
                            JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &wrong);
    tree_memory = NULL;
    if (*value != NULL || error_is(memory.error))
        return memory.error;
    return syntax_error(&wrong);
}
