/* --tls, --tls-ca, --tls-certificate and --tls-key, the same for every command that calls. */
#include "main/commands/tls_flags.h"

#include <stdio.h>
#include <string.h>

const char tls_flags_help[] =
    "  --tls                   speak TLS, believe the system's authorities\n"
    "  --tls-ca FILE           speak TLS, believe these\n"
    "  --tls-certificate FILE  show this, with --tls-key FILE\n";

/* Where the file of an option is kept; NULL: it is none. */
static const char **file_of(struct tls_flags *flags, const char *name)
{
    if (strcmp(name, "--tls-ca") == 0)
        return &flags->settings.authorities;
    if (strcmp(name, "--tls-certificate") == 0)
        return &flags->settings.certificate;
    return strcmp(name, "--tls-key") == 0 ? &flags->settings.key : NULL;
}

enum tls_flag tls_flags_read(struct tls_flags *flags, const char *command, int argc, char **argv,
                             int *at)
{
    const char *name = argv[*at];
    const char **file = file_of(flags, name);
    if (file == NULL && strcmp(name, "--tls") != 0)
        return TLS_FLAG_OTHER;
    if (file != NULL && *at + 1 >= argc) {
        fprintf(stderr, "waybill %s: %s needs a value\n", command, name);
        return TLS_FLAG_WRONG;
    }
    if (file != NULL)
        *file = argv[++*at];
    flags->in_tls = true;
    return TLS_FLAG_TAKEN;
}

bool tls_flags_fit(const struct tls_flags *flags, const char *command)
{
    if ((flags->settings.certificate == NULL) == (flags->settings.key == NULL))
        return true;
    fprintf(stderr, "waybill %s: --tls-certificate and --tls-key go together\n", command);
    return false;
}

const struct tls_settings *tls_flags_settings(const struct tls_flags *flags)
{
    return flags->in_tls ? &flags->settings : NULL;
}
