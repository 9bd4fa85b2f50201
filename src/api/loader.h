/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that load projects which somebody asks for, each on several cores (fleet/loading.c),
 * and drop what exceeds the memory budget. There are two, so that a large project is not in the way
 * of a small one. */
#ifndef CAREEN_API_LOADER_H
#define CAREEN_API_LOADER_H

#include "api/service.h"

int loader_start(struct service *service, struct err *err);
/* Loads under way are given up. */
void loader_stop(struct service *service);

#endif
