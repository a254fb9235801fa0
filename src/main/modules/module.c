/* What modules share. */
#include "main/modules/module.h"

#include <stdio.h>
#include <string.h>

bool module_is_wanted(const struct module_environment *environment, const char *name)
{
    for (size_t i = 0; i < environment->name_count; i++) {
        if (strcmp(environment->names[i], name) == 0)
            return true;
    }
    return environment->name_count == 0;
}

struct module *module_find(const struct module_environment *environment, const char *name)
{
    for (size_t i = 0; i < *environment->module_count; i++) {
        if (strcmp(environment->modules[i]->table->name, name) == 0)
            return environment->modules[i];
    }
    return NULL;
}

struct error module_embedded_directory(const char *name, const char *url, const char *data,
                                       char *directory, size_t size)
{
    static const char scheme[] = "embedded:";
    if (url[0] == '\0') {
        snprintf(directory, size, "%s/%s", data, name);
        return error_none();
    }
    if (!text_starts_with(text_of(url), text_of(scheme)) || strlen(url) == strlen(scheme))
        return error_make(ERROR_INVALID_SETTING, "%s: %.200s is no store; use embedded:DIR", name,
                          url);
    snprintf(directory, size, "%s", url + strlen(scheme));
    return error_none();
}

bool module_add_gauge(struct buffer *out, const char *name, const char *help, uint64_t value)
{
    return buffer_append_format(out, "# HELP %s %s\n# TYPE %s gauge\n%s %llu\n", name, help, name,
                                name, (unsigned long long)value);
}
