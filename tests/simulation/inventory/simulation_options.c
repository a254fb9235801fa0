/* Options as "--name N". */
#include "tests/simulation/inventory/simulation_options.h"

#include "platform/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parse_number(const char *string, uint64_t *number)
{
    int64_t value = 0;
    if (string == NULL || !text_to_int64(text_of(string), &value) || value < 0) {
        fprintf(stderr, "not a number: %s\n", string == NULL ? "(missing)" : string);
        return false;
    }
    *number = (uint64_t)value;
    return true;
}

bool simulation_options_parse(struct simulation_options *options, int argument_count,
                              char **arguments)
{
    const char *seed = getenv("WAYBILL_SEED");
    if (seed != NULL && !parse_number(seed, &options->seed))
        return false;
    for (int i = 1; i < argument_count; i++) {
        uint64_t *number = NULL;
        if (strcmp(arguments[i], "--trace") == 0) {
            options->trace = true;
            continue;
        }
        if (strcmp(arguments[i], "--replay") == 0) {
            options->replay = true;
            continue;
        }
        if (strcmp(arguments[i], "--seed") == 0)
            number = &options->seed;
        else if (strcmp(arguments[i], "--seeds") == 0)
            number = &options->seeds;
        else if (strcmp(arguments[i], "--operations") == 0)
            number = &options->operations;
        if (number == NULL) {
            fprintf(stderr,
                    "usage: %s [--seed N] [--seeds M] [--operations K] [--trace] [--replay]\n",
                    arguments[0]);
            return false;
        }
        if (!parse_number(arguments[++i], number)) /* argv ends with NULL */
            return false;
    }
    return true;
}
