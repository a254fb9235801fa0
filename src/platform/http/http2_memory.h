#ifndef WAYBILL_PLATFORM_HTTP_HTTP2_MEMORY_H
#define WAYBILL_PLATFORM_HTTP_HTTP2_MEMORY_H

#include <nghttp2/nghttp2.h>

/* Our allocator for nghttp2's sessions, of servers and clients: counted, and made to fail by tests.
 */
nghttp2_mem *http2_memory(void);

#endif
