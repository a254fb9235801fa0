#ifndef WAYBILL_MAIN_COMMANDS_TLS_FLAGS_H
#define WAYBILL_MAIN_COMMANDS_TLS_FLAGS_H

#include "platform/io/tls.h"

#include <stdbool.h>

/* The options of commands that call a server in TLS. Thread: the main thread. */
struct tls_flags {
    struct tls_settings settings;
    bool in_tls;
};

/* Their lines of a command's --help. */
extern const char tls_flags_help[];

enum tls_flag {
    TLS_FLAG_OTHER, /* none of these */
    TLS_FLAG_TAKEN,
    TLS_FLAG_WRONG, /* told what is wrong */
};

/* Looks at argv[*at]; moves *at behind what it takes. `command` is for messages. */
enum tls_flag tls_flags_read(struct tls_flags *flags, const char *command, int argc, char **argv,
                             int *at);

/* False: told that a certificate and its key go together. */
bool tls_flags_fit(const struct tls_flags *flags, const char *command);

/* For rpc_client_options.tls; lives as long as the flags. */
const struct tls_settings *tls_flags_settings(const struct tls_flags *flags);

#endif
