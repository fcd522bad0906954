/* TCP_INFO. */
#include "gateway/socket_info.h"

#include <netinet/in.h>
#include <sys/socket.h>

struct tcp_info socket_info(int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return (struct tcp_info){0};
    return info;
}
