/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `careen scan` share. */
#ifndef CAREEN_CLI_SCANNING_H
#define CAREEN_CLI_SCANNING_H

#include "cli/cli.h"
#include "scan/scan.h"

/* --- Showing (scan_show.c) -------------------------------------------------------------------- */

/* One image, appended to *out: a table with its heading, a JSON object, or an SBOM, each with a
 * line feed behind it. */
int scan_show(const char *target, const struct scanned_image *image, enum cli_format format,
    struct buf *out, struct err *err);
/* The image as an SBOM. */
int scan_write_sbom(
    const struct scanned_image *image, enum cli_format format, struct buf *out, struct err *err);
/* "registry.example.com/shop/web:1.2", or what else there is to call it by. */
void scan_title(const char *target, const struct scanned_image *image, struct buf *out);

/* --- Putting into an inventory (scan_put.c) --------------------------------------------------- */

struct scan_put;

/* By --data or --server with a token, or CAREEN_SERVER; *ret is NULL when none of them is given.
 * The placement is that of the options; what is being sent is given up when *stop is not 0. */
int scan_put_open(const struct cli_args *args, const volatile sig_atomic_t *stop,
    struct scan_put **ret, struct err *err);
void scan_put_close(struct scan_put *put); /* accepts NULL */
/* Puts an image into the slot `careen`, and appends a line of what that meant to *out. */
int scan_put_image(struct scan_put *put, const char *target, const struct scanned_image *image,
    enum cli_format format, struct buf *out, struct err *err);

#endif
