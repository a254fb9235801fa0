/*
 * Fuzz target of the configuration file (RELIABILITY row 19): any bytes are taken or complained
 * about, and no value leaves its limits.
 */
#include "main/configuration.h"

#include "platform/base/check.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct configuration configuration;
    static struct configuration defaults;
    struct configuration_problems problems;
    configuration_problems_init(&problems);
    size_t operand_count;
    if (defaults.listen[0] == '\0')
        CHECK(configuration_read(&defaults, 0, NULL, NULL, &operand_count, &problems));
    configuration = defaults;
    configuration_read_text(&configuration, "fuzz.ini", text_make(data, size), &problems);
    CHECK(configuration.io_threads >= 0 && configuration.io_threads <= 64);
    CHECK(configuration.ids_max >= 1 && configuration.ids_max <= INT64_C(4000000000));
    CHECK(memchr(configuration.data, '\0', sizeof configuration.data) != NULL);
    CHECK(text_is_utf8(text_of(configuration.cors_origins)));
    CHECK(strcmp(configuration.log_format, "text") == 0 ||
          strcmp(configuration.log_format, "json") == 0);
    if (size == 0)
        CHECK(problems.count == 0);
    configuration_problems_deinit(&problems);
    return 0;
}
