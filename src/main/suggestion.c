/* Levenshtein's distance, one row at a time; long words have no neighbours. */
#include "main/suggestion.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { letters_max = 64 };

static bool is_same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t less = a < b ? a : b;
    return less < c ? less : c;
}

/* Of words that are at most letters_max long. */
static size_t distance_of(const char *a, const char *b)
{
    size_t row[letters_max + 1];
    size_t size = strlen(b);
    for (size_t j = 0; j <= size; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < size; j++) {
            size_t above = row[j + 1];
            row[j + 1] = least(above + 1, row[j] + 1, diagonal + !is_same(a[i], b[j]));
            diagonal = above;
        }
    }
    return row[size];
}

struct suggestion suggestion_begin(const char *wanted)
{
    return (struct suggestion){.wanted = wanted, .distance = (strlen(wanted) + 2) / 3 + 1};
}

void suggestion_consider(struct suggestion *suggestion, const char *name)
{
    suggestion_consider_as(suggestion, name, name);
}

void suggestion_consider_as(struct suggestion *suggestion, const char *spelt, const char *name)
{
    if (strlen(suggestion->wanted) > letters_max || strlen(spelt) > letters_max)
        return;
    size_t distance = distance_of(suggestion->wanted, spelt);
    if (distance >= suggestion->distance)
        return;
    suggestion->distance = distance;
    suggestion->best = name;
}
