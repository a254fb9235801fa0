/*
 * One variable for all commands, so that a shell says once which server is meant. The client's own
 * texts tell how a connection failed; here they become advice.
 */
#include "main/commands/server_address.h"

#include "platform/rpc/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static const char variable[] = "WAYBILL_SERVER";
static const char usual_address[] = "127.0.0.1:7400";
static const char usual_port[] = "7400";

enum { host_shown_max = 200 };

const char *server_address_default(void)
{
    const char *value = getenv(variable);
    return value == NULL || *value == '\0' ? usual_address : value;
}

/* --- before the call --- */

static bool is_port(struct text text)
{
    int64_t number;
    return text_to_int64(text, &number) && number >= 1 && number <= 65535;
}

/* What to write instead of a URL. */
static void tell_scheme(const char *option, const char *server, const char *rest)
{
    size_t size = strcspn(rest, "/?#");
    bool in_tls = strncmp(server, "https:", strlen("https:")) == 0;
    bool has_port = memchr(rest, ':', size) != NULL;
    fprintf(stderr, "an address is HOST:PORT, without %.*s\n  → %s %.*s%s%s%s\n",
            (int)(rest - server), server, option,
            size < host_shown_max ? (int)size : host_shown_max, rest, has_port ? "" : ":",
            has_port ? "" : usual_port, in_tls ? " --tls" : "");
}

bool server_address_check(const char *command, const char *option, const char *server)
{
    const char *scheme = strstr(server, "://");
    const char *colon = strrchr(server, ':');
    const char *first = strchr(server, ':');
    bool is_bracketed = server[0] == '[' && colon != NULL && colon > server && colon[-1] == ']';
    bool good = scheme == NULL && colon != NULL && colon > server && is_port(text_of(colon + 1)) &&
                (first == colon || is_bracketed);
    if (good)
        return true;
    const char *value = getenv(variable);
    fprintf(stderr, "waybill %s: %s %s: ", command, server == value ? variable : option, server);
    if (scheme != NULL)
        tell_scheme(option, server, scheme + strlen("://"));
    else if (colon == NULL && is_port(text_of(server)))
        fprintf(stderr, "an address is HOST:PORT\n  → %s 127.0.0.1:%s\n", option, server);
    else if (colon == NULL)
        fprintf(stderr, "an address is HOST:PORT\n  → %s %.*s:%s\n", option, host_shown_max,
                *server == '\0' ? "127.0.0.1" : server, usual_port);
    else if (colon == server)
        fprintf(stderr, "an address is HOST:PORT, the host is missing\n  → %s 127.0.0.1%s\n",
                option, server);
    else if (first != colon && !is_bracketed)
        fprintf(stderr, "an IPv6 address stands in brackets\n  → %s [%.*s]:%s\n", option,
                (int)(colon - server), server, colon + 1);
    else
        fprintf(stderr,
                "a port is a number from 1 to 65535\n  → `waybill serve` prints its own behind "
                "listen=; the usual one is %s\n",
                usual_port);
    return false;
}

/* --- after it --- */

static const struct advice {
    const char *part; /* of the message */
    const char *text;
} advices[] = {
    {rpc_client_no_grpc,
     "it may be the operations port, for metrics and health, or another program; gRPC is at the "
     "address\n    behind listen= in what `waybill serve` prints, 127.0.0.1:7400 unless told "
     "otherwise"},
    {rpc_client_ended_at_once,
     "does it speak TLS? then give --tls, or --tls-ca FILE for an authority of your own"},
    {rpc_client_no_tls, "it is a plain port: leave --tls and --tls-… out, or name its TLS port"},
    {rpc_client_untrusted,
     "--tls-ca FILE names the authorities to believe; HOST in --server HOST:PORT must be a name "
     "of the certificate"},
};

void server_address_advise(struct text told)
{
    char message[512];
    static const char absent[] =
        "is a server running there? `waybill serve` starts one; --server HOST:PORT or "
        "WAYBILL_SERVER\n    says where another is";
    static const char silent[] = "is the host up, and does a firewall let this port through?";
    static const char nameless[] = "no host has that name: is it spelt right? its address will do, "
                                   "too: --server 127.0.0.1:7400";
    static const int absences[] = {UV_ECONNREFUSED, UV_ECONNRESET, UV_EPIPE};
    static const int silences[] = {UV_ETIMEDOUT, UV_EHOSTUNREACH, UV_ENETUNREACH};
    static const int names[] = {UV_EAI_NONAME, UV_EAI_NODATA, UV_EAI_AGAIN, UV_EAI_FAIL};
    snprintf(message, sizeof message, "%.*s", (int)told.size, told.data);
    const char *advice = strstr(message, rpc_client_not_in_time) != NULL ? silent : NULL;
    for (size_t i = 0; i < sizeof advices / sizeof advices[0] && advice == NULL; i++)
        advice = strstr(message, advices[i].part) != NULL ? advices[i].text : NULL;
    for (size_t i = 0; i < sizeof absences / sizeof absences[0] && advice == NULL; i++)
        advice = strstr(message, uv_strerror(absences[i])) != NULL ? absent : NULL;
    for (size_t i = 0; i < sizeof silences / sizeof silences[0] && advice == NULL; i++)
        advice = strstr(message, uv_strerror(silences[i])) != NULL ? silent : NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && advice == NULL; i++)
        advice = strstr(message, uv_strerror(names[i])) != NULL ? nameless : NULL;
    if (advice != NULL)
        fprintf(stderr, "  → %s\n", advice);
}
