/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a server with every 0 replaced by what it stands for. */
#ifndef CAREEN_HTTP_OPTIONS_H
#define CAREEN_HTTP_OPTIONS_H

#include "http/server.h"

struct http_options http_options_filled(const struct http_options *given);

#endif
