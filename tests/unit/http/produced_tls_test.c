/* SPDX-License-Identifier: Apache-2.0 */
/* All of produced_test.c again, over TLS. */
#define BED_TLS
#include "produced_test.c"
