/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms as people write them: "linux/arm64/v8", "linux/amd64", "arm/v7", "arm64". */
#ifndef CAREEN_IMAGE_PLATFORM_H
#define CAREEN_IMAGE_PLATFORM_H

#include "base/err.h"
#include "base/slice.h"

struct platform {
    struct slice os, architecture, variant; /* empty: any */
};

/* Slices of text, or static. uname's names of machines are understood (x86_64, aarch64). Empty text
 * is any platform. ERR_INVALID, naming the text. */
int platform_parse(struct slice text, struct platform *ret, struct err *err);
/* architecture: with the variant behind, "arm64/v8", or without. An image that does not say matches
 * only what is empty. arm64 is v8. */
bool platform_matches(const struct platform *wanted, struct slice os, struct slice architecture);

#endif
