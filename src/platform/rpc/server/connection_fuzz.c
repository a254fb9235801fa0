/*
 * Fuzz target: any bytes on a connection to a real server, HTTP/2 or HTTP/1.1 by what they begin
 * with, gRPC, gRPC-Web or Connect by what they say. Health and reflection are there to be called.
 * Nothing may crash, leak or hang: after the client's end the server ends the connection.
 */
#include "platform/base/log.h"
#include "platform/rpc/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sockaddr_in start_server(void)
{
    struct rpc_server *server;
    struct rpc_server_options options = rpc_server_options_default();
    log_configure(LOG_LEVEL_OFF, false);
    options.http.listen = "127.0.0.1:0";
    options.http.peer_abuse_points_per_second = 0; /* nobody is ever barred */
    options.cors_origins = text_of("https://a.example, https://b.example");
    options.message_bytes_max = 4096;
    struct error error = rpc_server_open(&server, &options, NULL, 0);
    if (error_is(error))
        abort();
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)atoi(strrchr(rpc_server_address(server), ':') + 1));
    return address;
}

/* From one of 200 loopback addresses in turn: ports that wait for their time do not run out. */
static int connect_to(const struct sockaddr_in *server)
{
    static unsigned count;
    const int late = 1;
    struct sockaddr_in source = {.sin_family = AF_INET};
    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + count++ % 200);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (client >= 0 &&
        (setsockopt(client, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, sizeof late) != 0 ||
         bind(client, (struct sockaddr *)&source, sizeof source) != 0 ||
         connect(client, (const struct sockaddr *)server, sizeof *server) != 0)) {
        close(client);
        client = -1;
    }
    return client;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sockaddr_in address;
    char answer[4096];
    struct timeval patience = {.tv_sec = 5};
    if (address.sin_port == 0)
        address = start_server();
    int client = connect_to(&address);
    for (int tries = 0; client < 0 && tries < 1000; tries++) {
        perror("connect"); /* libFuzzer's alarm came between, or ports ran out */
        usleep(10000);
        client = connect_to(&address);
    }
    if (client < 0)
        abort(); /* nobody listens any more */
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ssize_t sent = 0;
    while ((size_t)sent < size) {
        ssize_t part = send(client, data + sent, size - (size_t)sent, MSG_NOSIGNAL);
        if (part <= 0)
            break; /* cut already: that is an answer, too */
        sent += part;
    }
    shutdown(client, SHUT_WR);
    ssize_t got;
    do {
        got = recv(client, answer, sizeof answer, 0);
    } while (got > 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        abort(); /* it hangs */
    close(client);
    return 0;
}
