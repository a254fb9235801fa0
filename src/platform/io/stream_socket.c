/*
 * Plain: bytes go from the scratch buffer to the owner, and from the owner to the socket. TLS: the
 * same through OpenSSL's memory BIOs; records are opened and sealed on the way.
 *
 * Failures: a peer that ends or breaks, a TLS handshake that fails, missing memory: `lost`, once,
 * or a false from stream_socket_send; the owner closes.
 */
#include "platform/io/stream_socket.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

enum { tls_record_bytes_max = 16 * 1024 };

static void lose(struct stream_socket *socket, const char *why)
{
    if (!socket->closing)
        socket->table->lost(socket, why);
}

/* --- out --- */

static bool write_sealed(struct stream_socket *socket);

static void on_written(uv_write_t *write, int status)
{
    struct stream_socket *socket = write->data;
    socket->in_write = false;
    buffer_deinit(&socket->writing);
    if (socket->closing)
        return;
    if (status != 0)
        lose(socket, uv_strerror(status));
    else if (socket->tls != NULL && !write_sealed(socket))
        lose(socket, "TLS");
    else if (socket->is_ready && !socket->in_write)
        socket->table->writable(socket);
}

/* Writes what the socket takes at once; a copy of the rest goes to libuv. */
static bool write_raw(struct stream_socket *socket, struct text bytes)
{
    uv_stream_t *stream = (uv_stream_t *)&socket->tcp;
    uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)bytes.data, (unsigned)bytes.size);
    int written = uv_try_write(stream, &buffer, 1);
    if (written < 0 && written != UV_EAGAIN)
        return false;
    if (written < 0)
        written = 0;
    if ((size_t)written == bytes.size)
        return true;
    if (!buffer_append(&socket->writing, bytes.data + written, bytes.size - (size_t)written))
        return false;
    buffer = uv_buf_init(socket->writing.data, (unsigned)socket->writing.size);
    socket->in_write = uv_write(&socket->write, stream, &buffer, 1, on_written) == 0;
    return socket->in_write;
}

/* Sends the records that OpenSSL has ready. While a write is under way they wait in its BIO. */
static bool write_sealed(struct stream_socket *socket)
{
    char *sealed;
    BIO *out = SSL_get_wbio(socket->tls);
    long size = socket->in_write ? 0 : BIO_get_mem_data(out, &sealed);
    if (size <= 0)
        return true;
    bool sent = write_raw(socket, text_make(sealed, (size_t)size));
    (void)BIO_reset(out);
    return sent;
}

bool stream_socket_send(struct stream_socket *socket, struct text bytes)
{
    if (socket->tls == NULL)
        return write_raw(socket, bytes);
    while (bytes.size > 0) {
        size_t used = 0;
        if (SSL_write_ex(socket->tls, bytes.data, bytes.size, &used) != 1) {
            ERR_clear_error();
            return false;
        }
        bytes = text_make(bytes.data + used, bytes.size - used);
    }
    return write_sealed(socket);
}

/* --- in --- */

/* Goes on with the handshake. False: the socket was lost or closed, or it is not done yet. */
static bool shake_hands(struct stream_socket *socket)
{
    int result = SSL_do_handshake(socket->tls);
    int reason = SSL_get_error(socket->tls, result);
    bool sent = write_sealed(socket);
    if (result != 1 && reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) {
        long verified = SSL_get_verify_result(socket->tls);
        const char *why = tls_reason();
        lose(socket, verified == X509_V_OK ? why : X509_verify_cert_error_string(verified));
        return false;
    }
    if (!sent) {
        lose(socket, "TLS handshake");
        return false;
    }
    if (result != 1)
        return false;
    socket->is_ready = true;
    socket->table->ready(socket);
    return !socket->closing;
}

static void open_records(struct stream_socket *socket)
{
    char opened[tls_record_bytes_max];
    size_t size;
    if (!socket->is_ready && !shake_hands(socket))
        return;
    while (!socket->closing && SSL_read_ex(socket->tls, opened, sizeof opened, &size) == 1) {
        socket->more = BIO_pending(SSL_get_rbio(socket->tls)) > 0;
        socket->table->received(socket, text_make(opened, size));
    }
    if (socket->closing)
        return;
    int reason = SSL_get_error(socket->tls, 0);
    if (reason == SSL_ERROR_ZERO_RETURN)
        lose(socket, "the peer has ended the connection");
    else if (reason != SSL_ERROR_WANT_READ)
        lose(socket, tls_reason());
    else if (!write_sealed(socket))
        lose(socket, "TLS");
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct stream_socket *socket = handle->data;
    (void)suggested;
    *buffer = uv_buf_init(socket->scratch, (unsigned)socket->scratch_size);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct stream_socket *socket = stream->data;
    if (size == 0 || socket->closing)
        return;
    if (size < 0) {
        lose(socket, size == UV_EOF ? "the peer has ended the connection" : uv_strerror((int)size));
        return;
    }
    if (socket->tls == NULL) {
        socket->table->received(socket, text_make(buffer->base, (size_t)size));
        return;
    }
    if (BIO_write(SSL_get_rbio(socket->tls), buffer->base, (int)size) != size)
        lose(socket, "not enough memory");
    else
        open_records(socket);
}

/* --- its life --- */

int stream_socket_init(struct stream_socket *socket, uv_loop_t *loop,
                       const struct stream_socket_table *table, char *scratch, size_t scratch_size)
{
    socket->table = table;
    socket->scratch = scratch;
    socket->scratch_size = scratch_size;
    socket->tcp.data = socket;
    socket->write.data = socket;
    socket->connect.data = socket;
    socket->shutdown.data = socket;
    buffer_init(&socket->writing, stream_socket_bytes_max);
    return uv_tcp_init(loop, &socket->tcp);
}

/* The connection is there. */
static int begin(struct stream_socket *socket)
{
    int result = uv_read_start((uv_stream_t *)&socket->tcp, give_buffer, on_read);
    if (result != 0)
        return result;
    if (socket->tls == NULL) {
        socket->is_ready = true;
        socket->table->ready(socket);
    } else {
        (void)shake_hands(socket);
    }
    return 0;
}

static int take(struct stream_socket *socket, int descriptor)
{
    int result = uv_tcp_open(&socket->tcp, descriptor);
    if (result != 0)
        close(descriptor);
    return result;
}

int stream_socket_accept(struct stream_socket *socket, int descriptor,
                         struct tls_identity *identity)
{
    int result = take(socket, descriptor);
    if (result != 0)
        return result;
    if (identity != NULL) {
        socket->tls = tls_session_create(identity, NULL);
        if (socket->tls == NULL)
            return UV_ENOMEM;
    }
    result = uv_tcp_nodelay(&socket->tcp, 1);
    return result == 0 ? begin(socket) : result;
}

int stream_socket_adopt(struct stream_socket *socket, int descriptor)
{
    int result = take(socket, descriptor);
    return result == 0 ? begin(socket) : result;
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct stream_socket *socket = connect->data;
    if (socket->closing)
        return;
    if (status == 0)
        status = uv_tcp_nodelay(&socket->tcp, 1);
    if (status == 0)
        status = begin(socket);
    if (status != 0)
        lose(socket, uv_strerror(status));
}

int stream_socket_connect(struct stream_socket *socket, const struct sockaddr *address,
                          struct tls_identity *identity, const char *server_name)
{
    if (identity != NULL) {
        socket->tls = tls_session_create(identity, server_name);
        if (socket->tls == NULL)
            return UV_ENOMEM;
    }
    return uv_tcp_connect(&socket->connect, &socket->tcp, address, on_connected);
}

void stream_socket_read(struct stream_socket *socket, bool wanted)
{
    if (socket->closing)
        return;
    if (wanted)
        uv_read_start((uv_stream_t *)&socket->tcp, give_buffer, on_read);
    else
        uv_read_stop((uv_stream_t *)&socket->tcp);
}

bool stream_socket_is_distrusted(const struct stream_socket *socket)
{
    return socket->tls != NULL && SSL_get_verify_result(socket->tls) != X509_V_OK;
}

struct text stream_socket_protocol(const struct stream_socket *socket)
{
    return socket->tls == NULL ? text_of("") : tls_session_protocol(socket->tls);
}

static void on_shut_down(uv_shutdown_t *shutdown, int status)
{
    struct stream_socket *socket = shutdown->data;
    if (status != 0 && !socket->closing)
        lose(socket, uv_strerror(status));
}

/* Once is enough: OpenSSL sends no second one. */
static bool notify_close(struct stream_socket *socket)
{
    if (socket->tls == NULL || !socket->is_ready)
        return true;
    SSL_shutdown(socket->tls);
    ERR_clear_error();
    return write_sealed(socket);
}

bool stream_socket_finish(struct stream_socket *socket)
{
    return notify_close(socket) &&
           uv_shutdown(&socket->shutdown, (uv_stream_t *)&socket->tcp, on_shut_down) == 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct stream_socket *socket = handle->data;
    SSL_free(socket->tls);
    socket->tls = NULL;
    buffer_deinit(&socket->writing);
    socket->table->closed(socket);
}

void stream_socket_close(struct stream_socket *socket)
{
    if (socket->closing)
        return;
    (void)notify_close(socket);
    socket->closing = true;
    uv_close((uv_handle_t *)&socket->tcp, on_closed);
}
