/* What the kernel knows of a TCP socket and its peer (TCP_INFO). */
#ifndef TAILGATE_GATEWAY_SOCKET_INFO_H
#define TAILGATE_GATEWAY_SOCKET_INFO_H

#include <linux/tcp.h>

/* All zero when it cannot be had. tcpi_bytes_acked is what the peer's kernel has taken of what was
 * sent: the only sign of life of a reader that is behind. */
struct tcp_info socket_info(int fd);

#endif
