/* SPDX-License-Identifier: Apache-2.0 */
/* A refusal in the middle of a body, where the HTTP library takes no answer: written to the socket
 * as it is. The connection must be closed behind it. */
#ifndef CAREEN_HTTP_RAW_ANSWER_H
#define CAREEN_HTTP_RAW_ANSWER_H

#include "http/server.h"

/* Best effort: when the socket does not take it at once, the client sees a closed connection only.
 */
void raw_answer_send(
    int fd, const struct http_request *request, const struct http_response *response);

#endif
