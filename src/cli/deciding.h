/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `careen ignore`, `careen unignore` and `careen handle` share: their options read into one
 * decision, what it would change, and what is said about it.
 */
#ifndef CAREEN_CLI_DECIDING_H
#define CAREEN_CLI_DECIDING_H

#include "cli/cli.h"

/* Entries of an option table. */
#define DECIDING_SELECTOR_OPTIONS                                                               \
    {"package", "NAME", "only in this package; without VUL_ID: any vulnerability of it", NULL}, \
    {                                                                                           \
        "type", "TYPE", "linux_vul: in OS packages; app_vul: in all others; else both", NULL    \
    }
#define DECIDING_SCOPE_OPTIONS                                                                    \
    {"image", "ID...", "these images; --image A,B or --image A --image B", NULL},                 \
        {"repository", "NAME", "images of this repository, whatever their tag", NULL},            \
        {"registry-name", "NAME", "images of this registry", NULL},                               \
        {"cluster-id", "ID", "images of this cluster", NULL},                                     \
        {"image-type", "TYPE", "only local, registry, cicd or cluster images", NULL},             \
    {                                                                                             \
        "enterprise-project", "ID...", "only images of these enterprise projects; else all", NULL \
    }
#define DECIDING_COMMON_OPTIONS                                           \
    {"dry-run", NULL, "say what would change, and change nothing", NULL}, \
        {"project", "ID", "the project; \"default\" if not given", NULL}, \
    {                                                                     \
        "o", "FORMAT", "table or json", NULL                              \
    }

enum { AUTHOR_BYTES = 256 };

/* One command line. Not to be copied. */
struct deciding_line {
    const struct cli_args *args;
    const char *command; /* "ignore" */
    enum cli_format format;
    bool dry_run;
    struct arena arena;
    char author[AUTHOR_BYTES];
    struct decision_request request;
    struct deciding deciding;
    struct fleet *fleet;
    uint32_t project;
};

/* Reads -o, --dry-run, --reason and the author. */
int deciding_start(struct deciding_line *line, const struct cli_args *args, const char *command,
    enum decision_action action, struct err *err);
void deciding_finish(struct deciding_line *line);
/* Reads VUL_ID... and the options of the selector; ERR_USAGE when neither says what it is about. */
int deciding_selector(struct deciding_line *line, struct err *err);
/* Reads the options of the scope: one of them at most, else the whole project. */
int deciding_scope(struct deciding_line *line, struct err *err);
/* --image alone, which must be there. */
int deciding_images(struct deciding_line *line, struct err *err);
/* Opens the fleet, makes the decision or previews it, and prints what came of it. */
int deciding_run(struct deciding_line *line, struct err *err);

/* --- deciding_warn.c -------------------------------------------------------------------------- */

/* Says on standard error what looks like a mistake: a vulnerability that nothing has, or that only
 * advisories cover. *ret_said: something was said. */
int deciding_warn(const struct deciding_line *line, bool *ret_said, struct err *err);

/* --- deciding_print.c ------------------------------------------------------------------------- */

/* "repository nginx", "the whole project", "enterprise projects 0, ep-shop", ... */
void deciding_write_scope(const struct deciding_line *line, struct buf *out);
/* The command that withdraws decisions, to be pasted into a shell. */
void deciding_write_undo(const struct cli_args *args, const struct ids *numbers, struct buf *out);

/* Rows that would change, taken while they are previewed. */
struct preview;
int preview_new(const struct deciding_line *line, struct preview **ret, struct err *err);
void preview_free(struct preview *preview);                                   /* accepts NULL */
int preview_take(void *ctx, const struct affected_row *row, struct err *err); /* decided_row_fn */
/* What came of it; preview: NULL when it was done. */
void deciding_write(const struct deciding_line *line, struct preview *preview,
    const struct decision_outcome *outcome, struct buf *out);

#endif
