/* SPDX-License-Identifier: Apache-2.0 */
/* Defaults in one place, so that the rest never meets a 0. */
#include "http/options.h"

#include "base/limits.h"

#include <unistd.h>

static void fill(unsigned *value, long otherwise)
{
    if (!*value)
        *value = (unsigned)otherwise;
}

struct http_options http_options_filled(const struct http_options *given)
{
    struct http_options options = *given;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (!options.header_bytes)
        options.header_bytes = LIMIT_HTTP_HEADER_BYTES;
    fill(&options.threads, cores > 0 ? cores : 1);
    fill(&options.workers, 2);
    fill(&options.max_connections, LIMIT_HTTP_CONNECTIONS);
    fill(&options.max_connections_per_address, LIMIT_HTTP_CONNECTIONS_PER_ADDRESS);
    fill(&options.header_seconds, LIMIT_HTTP_HEADER_S);
    fill(&options.body_seconds, LIMIT_HTTP_BODY_S);
    fill(&options.idle_seconds, LIMIT_HTTP_IDLE_S);
    return options;
}
