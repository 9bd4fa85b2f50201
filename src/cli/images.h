/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `careen images` share: the images that words and filters choose; SBOMs. */
#ifndef CAREEN_CLI_IMAGES_H
#define CAREEN_CLI_IMAGES_H

#include "cli/cli.h"

/* One chosen image: what lists show of it, copied out of the index. */
struct chosen {
    char id[UUID_TEXT_BYTES];
    struct slice name, tag, where;
    enum image_type type;
    int64_t containers; /* -1 = not known */
    int64_t latest_scan_ms;
    bool latest;
    enum assessment assessment;
    uint64_t by_necessity[NECESSITY_COUNT];
};

struct choice {
    struct arena arena;
    struct chosen *at;
    size_t count, cap;
    struct err err;
    bool failed;
};

void choice_init(struct choice *choice);
void choice_release(struct choice *choice);
/* The images of the filters that were given (OPTIONS_SCOPE); in order. */
int choice_by_filter(struct choice *choice, const struct cli_args *args, struct fleet *fleet,
    uint32_t project, struct err *err);
/* Was any filter given? */
bool choice_filtered(const struct cli_args *args);
/* Aligned columns, and how many there are. */
void choice_write_table(const struct choice *choice, struct buf *out);

/* The image as an SBOM (FORMAT_CYCLONEDX or FORMAT_SPDX), appended to *out. */
int images_write_sbom(const struct image_detail *detail, enum cli_format format,
    struct arena *arena, struct buf *out, struct err *err);

#endif
