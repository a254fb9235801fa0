/*
 * What the server still owes an answer for: a ring on the heap that doubles when it is full. It
 * fails only for want of memory, and is then as it was.
 */
#include "platform/base/memory.h"
#include "platform/sql/postgresql_connection.h"

enum { pending_room_first = 64 };

static struct postgresql_pending *pending_at(struct postgresql_connection *connection,
                                             size_t number)
{
    return &connection->pending[(connection->pending_first + number) % connection->pending_room];
}

bool postgresql_pending_add(struct postgresql_connection *connection,
                            struct postgresql_pending pending)
{
    if (connection->pending_count == connection->pending_room) {
        size_t room =
            connection->pending_room == 0 ? pending_room_first : 2 * connection->pending_room;
        struct postgresql_pending *grown = memory_allocate(room * sizeof *grown);
        if (grown == NULL)
            return false;
        for (size_t i = 0; i < connection->pending_count; i++)
            grown[i] = *pending_at(connection, i);
        memory_release(connection->pending);
        connection->pending = grown;
        connection->pending_first = 0;
        connection->pending_room = room;
    }
    *pending_at(connection, connection->pending_count) = pending;
    connection->pending_count++;
    return true;
}

struct postgresql_pending postgresql_pending_take(struct postgresql_connection *connection)
{
    struct postgresql_pending pending = *pending_at(connection, 0);
    connection->pending_first = (connection->pending_first + 1) % connection->pending_room;
    connection->pending_count--;
    return pending;
}

void postgresql_pending_forget_rows(struct postgresql_connection *connection)
{
    for (size_t i = 0; i < connection->pending_count; i++)
        pending_at(connection, i)->run = NULL;
}

void postgresql_pending_ignore(struct postgresql_connection *connection)
{
    postgresql_pending_forget_rows(connection);
    for (size_t i = 0; i < connection->pending_count; i++)
        pending_at(connection, i)->ignored = true;
}
