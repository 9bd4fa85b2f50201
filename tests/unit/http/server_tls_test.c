/* SPDX-License-Identifier: Apache-2.0 */
/* All of server_test.c again, over TLS. */
#define BED_TLS
#include "server_test.c"
