#ifndef WAYBILL_MAIN_SERVER_ADDRESS_H
#define WAYBILL_MAIN_SERVER_ADDRESS_H

/*
 * Where the commands that call a server find it unless --server says: the variable WAYBILL_SERVER,
 * or else where `waybill serve` listens by default. Never NULL or empty. Thread: the main thread.
 */
const char *server_address_default(void);

#endif
