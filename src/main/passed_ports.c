/* Deals the passed sockets out by name. A name that means no port is an error: it is a slip. */
#include "main/passed_ports.h"

#include "platform/io/listen_address.h"

#include <string.h>

static struct error deal_out(struct passed_ports *ports, const struct passed_socket *socket,
                             bool is_alone)
{
    if (strcmp(socket->name, "operations") == 0) {
        ports->operations[ports->operations_count++] = socket->descriptor;
        return error_none();
    }
    if (strcmp(socket->name, "listen") != 0 && !is_alone)
        return error_make(ERROR_INVALID_SETTING,
                          "descriptor %d, passed by LISTEN_FDS, is named \"%.100s\": \"listen\" or "
                          "\"operations\" is wanted (FileDescriptorName= in the socket's unit)",
                          socket->descriptor, socket->name);
    ports->listen[ports->listen_count++] = socket->descriptor;
    ports->all_loopback = ports->all_loopback && listen_address_is_loopback(&socket->address);
    return error_none();
}

struct error passed_ports_take(struct passed_ports *ports)
{
    struct passed_sockets sockets;
    *ports = (struct passed_ports){.all_loopback = true};
    struct error error = passed_sockets_take(&sockets);
    for (size_t i = 0; i < sockets.count && !error_is(error); i++)
        error = deal_out(ports, &sockets.all[i], sockets.count == 1);
    return error;
}

bool passed_ports_any(const struct passed_ports *ports)
{
    return ports->listen_count + ports->operations_count > 0;
}
