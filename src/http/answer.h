/* SPDX-License-Identifier: Apache-2.0 */
/* Answers on their way out: refusals by the server itself, and sending. */
#ifndef CAREEN_HTTP_ANSWER_H
#define CAREEN_HTTP_ANSWER_H

#include "http/exchange.h"

/* Replaces whatever the response holds by the application's page for this error. */
void answer_refuse(struct exchange *e, unsigned status, const struct err *error);
void answer_refuse_stopping(struct exchange *e);

/* Hands the response to the library. False: close the connection. */
bool answer_queue(struct exchange *e);
/* Frees the producer, if there is one, and its piece. */
void answer_release_producer(struct exchange *e);
/* In the middle of a body, where the library takes no answer: writes the response to the socket, or
 * through the TLS session. Best effort: when the socket does not take it at once, the client sees a
 * closed connection only. False, which closes. */
bool answer_within_body(struct exchange *e);

#endif
