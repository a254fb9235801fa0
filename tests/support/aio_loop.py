"""The event loop of a suite's asynchronous clients: one, which reads until the suite ends.

    aio_loop.run(load(server))     as asyncio.run, but the loop goes on afterwards

grpcio's poller writes a byte for every event into a pair of sockets that the event loop reads. When
asyncio.run ends while events are still to come, nobody reads; once the pair is full the poller blocks in
write, and calls of the synchronous API hang for ever with it (https://github.com/grpc/grpc/pull/40989,
seen here after 30 kills of a server in one of fourteen runs). So the loop and grpcio's poller stay.
"""

import asyncio
import threading

import grpc

_loop = asyncio.new_event_loop()
_poller = []  # a channel that nobody calls: while one is open the poller stays


async def _round(coroutine):
    if not _poller:
        _poller.append(grpc.aio.insecure_channel("127.0.0.1:1"))
    try:
        return await coroutine
    finally:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def run(coroutine):
    """Its result, or its exception; tasks it left are cancelled."""
    if not _loop.is_running():
        threading.Thread(target=_loop.run_forever, daemon=True).start()
    return asyncio.run_coroutine_threadsafe(_round(coroutine), _loop).result()
