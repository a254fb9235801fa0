/* getaddrinfo and inet_ntop behind one text form. */
#include "platform/io/listen_address.h"

#include "platform/base/text.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct error listen_address_resolve(const char *text, struct sockaddr_storage *address)
{
    char host[256];
    int64_t port;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    const char *colon = strrchr(text, ':');
    size_t size = colon == NULL ? 0 : (size_t)(colon - text);
    if (size == 0 || size >= sizeof host || !text_to_int64(text_of(colon + 1), &port) || port < 0 ||
        port > 65535) /* getaddrinfo takes more and cuts it */
        return error_make(ERROR_INVALID_SETTING, "%s: an address is HOST:PORT, ports end at 65535",
                          text);
    memcpy(host, text, size);
    host[size] = '\0';
    char *name = host;
    if (host[0] == '[' && host[size - 1] == ']') {
        host[size - 1] = '\0';
        name++;
    }
    int result = getaddrinfo(name, colon + 1, &hints, &found);
    if (result != 0)
        return error_make(ERROR_INVALID_SETTING, "%s: %s", text, gai_strerror(result));
    memset(address, 0, sizeof *address);
    memcpy(address, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return error_none();
}

void listen_address_format(const struct sockaddr_storage *address, char *out)
{
    char host[INET6_ADDRSTRLEN] = "";
    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const void *)address;
        inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
        snprintf(out, listen_address_bytes_max, "[%s]:%u", host, ntohs(six->sin6_port));
    } else {
        const struct sockaddr_in *four = (const void *)address;
        inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
        snprintf(out, listen_address_bytes_max, "%s:%u", host, ntohs(four->sin_port));
    }
}

bool listen_address_is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *ip4 = (const void *)address;
        return ntohl(ip4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    const struct in6_addr *ip6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(ip6) ||
           (IN6_IS_ADDR_V4MAPPED(ip6) && ip6->s6_addr[12] == IN_LOOPBACKNET);
}
