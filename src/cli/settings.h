/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of `careen serve`: one table, from which come the configuration file, the
 * environment, the flags, their help, and the documentation. A setting named max_report_bytes is
 *
 *     max_report_bytes = 64MiB             in the file (--config, else CAREEN_CONFIG; else none),
 *     CAREEN_MAX_REPORT_BYTES=64MiB        which the environment outdoes,
 *     --max-report-bytes 64MiB             which a flag outdoes.
 *
 * A variable that is empty is as one that is not set. Messages name where the value stands, the
 * setting, the value and the rule: "careen.conf, line 12: log_keep_days must be 1-36500, not
 * "abc"".
 */
#ifndef CAREEN_CLI_SETTINGS_H
#define CAREEN_CLI_SETTINGS_H

#include "cli/cli.h"

enum setting_id {
    SETTING_DATA_DIR,
    SETTING_LISTEN,
    SETTING_THREADS,
    SETTING_WORKERS,
    SETTING_DOMAIN,
    SETTING_STRICT_PARAMETERS,
    SETTING_MAX_REPORT_BYTES,
    SETTING_LOG_KEEP_DAYS,
    SETTING_ACCESS_LOG,
    SETTING_COMPRESS_ANSWERS,
    SETTING_LOG_LEVEL,
    SETTING_LOG_FORMAT,
    SETTING_TLS_CERTIFICATE,
    SETTING_TLS_KEY,
    SETTING_TRUSTED_PROXIES,
    SETTING_MAX_CONNECTIONS,
    SETTING_MAX_CONNECTIONS_PER_ADDRESS,
    SETTING_MAX_HEADER_BYTES,
    SETTING_HEADER_TIMEOUT,
    SETTING_BODY_TIMEOUT,
    SETTING_IDLE_TIMEOUT,
    SETTING_RATE_LIMIT_PER_USER,
    SETTING_REFUSALS_PER_ADDRESS,
    SETTING_RETENTION_SUPERSEDED,
    SETTING_RETENTION_UNSEEN,
    SETTING_METRICS_OPEN,
    SETTING_LOAD,
    SETTING_MEMORY_BUDGET,
    SETTING_COUNT
};

enum setting_kind {
    KIND_TEXT,
    KIND_NUMBER,
    KIND_SIZE,     /* bytes: 65536, 64KiB, 64MiB, 4GiB */
    KIND_DURATION, /* milliseconds: 30s, 15m, 12h, 90d, and 0 */
    KIND_SWITCH,   /* 1 or 0: true, yes, on or false, no, off */
    KIND_CHOICE    /* a value of `choices` */
};

struct setting {
    const char *name;
    enum setting_kind kind;
    const char *value;     /* how help names the value: "ADDRESS:PORT" */
    const char *otherwise; /* the default, as it would be written; "": none */
    int64_t low, high;     /* what a number may be; for a text, its bytes */
    const char *word;      /* a word that stands for one more number; may be NULL */
    int64_t word_number;   /* that number */
    const struct words *choices;
    const char *negation;           /* of a switch that is on: "no_access_log" */
    bool live;                      /* may change while the server runs */
    const char *help, *option_help; /* one line, without and with the default */
};
extern const struct setting settings_table[SETTING_COUNT];

/* --- Values ----------------------------------------------------------------------------------- */

struct setting_value {
    char *text; /* of KIND_TEXT; owned */
    int64_t number;
};

/* Reads one value. `where` stands before the message: "careen.conf, line 12: listen". ERR_USAGE. */
int setting_parse(const struct setting *setting, const char *where, struct slice text,
    struct setting_value *ret, struct err *err);
enum { SETTING_TEXT_BYTES = 512 };
/* The value as it would be written (a text that is longer is cut), into dst; returns dst. */
char *setting_print(
    const struct setting *setting, const struct setting_value *value, char dst[SETTING_TEXT_BYTES]);
/* What it may be: "1-256 or auto"; returns dst. */
char *setting_rule(const struct setting *setting, char dst[SETTING_TEXT_BYTES]);

/* --- All of them ------------------------------------------------------------------------------ */

struct settings {
    struct setting_value at[SETTING_COUNT]; /* by enum setting_id */
};

struct settings_sources {
    const char *file; /* NULL: none is read */
    bool environment;
    const struct cli_args *flags; /* of a command with OPTIONS_SETTINGS; NULL: none */
};

/* The file by --config, else by CAREEN_CONFIG, the environment and the flags. */
struct settings_sources settings_sources_of(const struct cli_args *args);
/* Reads them all, and checks what they are together. ERR_USAGE, ERR_NOT_FOUND (the file), ERR_IO...
 */
int settings_read(const struct settings_sources *from, struct settings *ret, struct err *err);
/* What else a server would fail on: certificate and key (tls_check), addresses of proxies. */
int settings_check(const struct settings *settings, struct err *err);
/* Prints those that are not as they are by default, as lines of a configuration file. */
int settings_print_changed(const struct settings *settings, struct err *err);
void settings_release(struct settings *settings); /* accepts zeroed ones */

const char *settings_text(const struct settings *settings, enum setting_id id); /* "": none */
int64_t settings_number(const struct settings *settings, enum setting_id id);
bool settings_same(const struct settings *a, const struct settings *b, enum setting_id id);

/* The flags of all settings, for a command with OPTIONS_SETTINGS: calls add for each. `param` is
 * what its name is made from: the setting's name, or "no_access_log". */
typedef void (*settings_option_fn)(
    void *ctx, const char *param, const char *value, const char *help);
void settings_each_option(settings_option_fn add, void *ctx);

#endif
