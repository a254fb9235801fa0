/*
 * The server under test of the Connect project's conformance suite: reads a ServerCompatRequest
 * from standard input (4 bytes of big-endian length before it), serves, writes a
 * ServerCompatResponse, and ends on SIGTERM.
 */
#include "tests/conformance/conformance_service.h"

#include "connectrpc/conformance/v1/server_compat.pb-c.h"
#include "platform/base/log.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "conformance_server: %s\n", why);
    exit(1);
}

static Connectrpc__Conformance__V1__ServerCompatRequest *read_request(void)
{
    unsigned char size_bytes[4];
    if (fread(size_bytes, 1, 4, stdin) != 4)
        give_up("no request");
    size_t size = (size_t)size_bytes[0] << 24 | (size_t)size_bytes[1] << 16 |
                  (size_t)size_bytes[2] << 8 | size_bytes[3];
    uint8_t *bytes = malloc(size + 1);
    if (bytes == NULL || fread(bytes, 1, size, stdin) != size)
        give_up("the request is cut");
    Connectrpc__Conformance__V1__ServerCompatRequest *request =
        connectrpc__conformance__v1__server_compat_request__unpack(NULL, size, bytes);
    free(bytes);
    if (request == NULL)
        give_up("the request is malformed");
    return request;
}

static void write_response(const char *address, ProtobufCBinaryData certificate)
{
    Connectrpc__Conformance__V1__ServerCompatResponse response =
        CONNECTRPC__CONFORMANCE__V1__SERVER_COMPAT_RESPONSE__INIT;
    response.host = "127.0.0.1";
    response.port = (uint32_t)atoi(strrchr(address, ':') + 1);
    response.pem_cert = certificate;
    size_t size = connectrpc__conformance__v1__server_compat_response__get_packed_size(&response);
    uint8_t *bytes = malloc(size + 4);
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(size >> (8 * (3 - i)));
    connectrpc__conformance__v1__server_compat_response__pack(&response, bytes + 4);
    fwrite(bytes, 1, size + 4, stdout);
    fflush(stdout);
    free(bytes);
}

static const char *write_file(const char *directory, const char *name, ProtobufCBinaryData bytes)
{
    static char paths[3][256];
    static unsigned used;
    if (bytes.len == 0)
        return NULL;
    char *path = paths[used++];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    if (file == NULL || fwrite(bytes.data, 1, bytes.len, file) != bytes.len || fclose(file) != 0)
        give_up("cannot write the certificates");
    return path;
}

int main(void)
{
    char directory[] = "/tmp/waybill-conformance-XXXXXX";
    sigset_t signals;
    int number;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    log_configure(LOG_LEVEL_ERROR, false);
    conformance_register_types();
    Connectrpc__Conformance__V1__ServerCompatRequest *request = read_request();
    struct rpc_server_options options = rpc_server_options_default();
    options.http.listen = "127.0.0.1:0";
    options.http.drain_us_max = 0;
    options.own_reasons = false; /* the suite wants no details that it did not ask for */
    if (request->message_receive_limit > 0)
        options.message_bytes_max = request->message_receive_limit;
    ProtobufCBinaryData certificate = {0};
    if (request->use_tls && request->server_creds != NULL) {
        if (mkdtemp(directory) == NULL)
            give_up("cannot make a directory");
        certificate = request->server_creds->cert;
        options.http.tls = (struct tls_settings){
            .certificate = write_file(directory, "certificate.pem", certificate),
            .key = write_file(directory, "key.pem", request->server_creds->key),
            .authorities = write_file(directory, "clients.pem", request->client_tls_cert),
        };
    }
    struct rpc_service service = conformance_service();
    const struct rpc_service *services[] = {&service};
    struct rpc_server *server;
    struct error error = rpc_server_open(&server, &options, services, 1);
    if (error_is(error))
        give_up(error.detail);
    write_response(rpc_server_address(server), certificate);
    connectrpc__conformance__v1__server_compat_request__free_unpacked(request, NULL);
    sigwait(&signals, &number);
    rpc_server_drain(server);
    rpc_server_destroy(server);
    const char *files[] = {options.http.tls.certificate, options.http.tls.key,
                           options.http.tls.authorities};
    for (int i = 0; i < 3; i++) {
        if (files[i] != NULL)
            unlink(files[i]);
    }
    rmdir(directory);
    return 0;
}
