/* SPDX-License-Identifier: Apache-2.0 */
/*
 * careen serve: the HTTP server, until SIGTERM or SIGINT. Its main thread does nothing but wait for
 * signals, and tell the service manager how things are.
 */
#include "api/service.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/notify.h"
#include "cli/settings.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

enum { DRAIN_MS = 10000, READY_POLL_US = 50000, REACTION_MS = 1000 };

static const struct cli_option options[] = {
    {"config", "FILE", "the configuration file; else CAREEN_CONFIG, else none is read", NULL},
    {"check", NULL, "only check the settings, and print those that are no defaults", NULL},
};

struct serving {
    const struct cli_args *args;
    struct settings settings; /* those that hold; what needs a restart is as it was at the start */
    struct notify notify;
    struct service *service;
    struct http_server *server;
    sigset_t signals;
    bool ready;   /* and the service manager knows */
    bool stopped; /* atomic */
    int64_t watchdog_due_us;
};

/* --- Settings as options ---------------------------------------------------------------------- */

static unsigned number(const struct settings *settings, enum setting_id id)
{
    return (unsigned)settings_number(settings, id);
}

/* A text, or NULL. */
static const char *text_or_null(const struct settings *settings, enum setting_id id)
{
    const char *text = settings_text(settings, id);

    return *text ? text : NULL;
}

static struct http_options http_options_of(const struct settings *settings)
{
    return (struct http_options){.listen = settings_text(settings, SETTING_LISTEN),
        .spool_dir = settings_text(settings, SETTING_DATA_DIR),
        .threads = number(settings, SETTING_THREADS),
        .workers = number(settings, SETTING_WORKERS),
        .max_connections = number(settings, SETTING_MAX_CONNECTIONS),
        .max_connections_per_address = number(settings, SETTING_MAX_CONNECTIONS_PER_ADDRESS),
        .header_bytes = (size_t)settings_number(settings, SETTING_MAX_HEADER_BYTES),
        .header_seconds = number(settings, SETTING_HEADER_TIMEOUT),
        .body_seconds = number(settings, SETTING_BODY_TIMEOUT),
        .idle_seconds = number(settings, SETTING_IDLE_TIMEOUT),
        .access_log = settings_number(settings, SETTING_ACCESS_LOG) != 0,
        .compress = settings_number(settings, SETTING_COMPRESS_ANSWERS) != 0,
        .tls_certificate = text_or_null(settings, SETTING_TLS_CERTIFICATE),
        .tls_key = text_or_null(settings, SETTING_TLS_KEY),
        .trusted_proxies = text_or_null(settings, SETTING_TRUSTED_PROXIES)};
}

static struct service_options service_options_of(const struct settings *settings)
{
    return (struct service_options){.data_dir = settings_text(settings, SETTING_DATA_DIR),
        .domain = settings_text(settings, SETTING_DOMAIN),
        .strict_parameters = settings_number(settings, SETTING_STRICT_PARAMETERS) != 0,
        .max_report_bytes = (uint64_t)settings_number(settings, SETTING_MAX_REPORT_BYTES),
        .log_keep_ms = settings_number(settings, SETTING_LOG_KEEP_DAYS) * 86400000,
        .retention = {.superseded_ms = settings_number(settings, SETTING_RETENTION_SUPERSEDED),
            .unseen_ms = settings_number(settings, SETTING_RETENTION_UNSEEN)},
        .rate_limit_per_user = number(settings, SETTING_RATE_LIMIT_PER_USER),
        .refusals_per_address = number(settings, SETTING_REFUSALS_PER_ADDRESS),
        .load_at_start = settings_number(settings, SETTING_LOAD) != 0,
        .memory_budget = (uint64_t)settings_number(settings, SETTING_MEMORY_BUDGET),
        .metrics_open = settings_number(settings, SETTING_METRICS_OPEN) != 0};
}

/* What is not wrong enough to refuse it. */
static void warn_of_certificate(const struct serving *serving)
{
    struct tls_info info;
    char when[CLOCK_TEXT_BYTES];

    if (!http_server_tls_info(serving->server, &info))
        return;
    if (info.not_after_ms <= clock_now_ms())
        log_line(LOG_WARN, "the TLS certificate %s has expired at %s: clients will refuse it",
            settings_text(&serving->settings, SETTING_TLS_CERTIFICATE),
            clock_format(info.not_after_ms, when));
    if (info.key_exposed)
        log_line(LOG_WARN, "every user of this machine can read the TLS key %s: chmod o= it",
            settings_text(&serving->settings, SETTING_TLS_KEY));
}

/* --- SIGHUP ----------------------------------------------------------------------------------- */

/* Takes a setting over if it may change now, and says what became of it. Those that may are no
 * texts (settings_test.c), so nothing that the service keeps is freed. */
static void take_over(struct settings *settings, const struct settings *fresh, enum setting_id id)
{
    const struct setting *setting = &settings_table[id];
    char was[SETTING_TEXT_BYTES], is[SETTING_TEXT_BYTES];
    struct log_field fields[] = {LOG_TEXT("setting", slice_of(setting->name)),
        LOG_TEXT("from", slice_of(setting_print(setting, &settings->at[id], was))),
        LOG_TEXT("to", slice_of(setting_print(setting, &fresh->at[id], is)))};

    if (settings_same(settings, fresh, id))
        return;
    if (setting->live) {
        settings->at[id].number = fresh->at[id].number;
        log_event(LOG_INFO, "setting changed", fields, 3);
    } else {
        log_event(LOG_WARN, "setting changes with the next start only", fields, 3);
    }
}

/* All of it or, when anything is wrong, nothing. */
static int take_settings(struct serving *serving, struct err *err)
{
    const struct settings_sources sources = settings_sources_of(serving->args);
    struct settings fresh = {0};
    struct service_options service_options;
    int64_t level;

    if (settings_read(&sources, &fresh, err) < 0)
        return -1;
    if (http_server_reload_tls(serving->server, err) < 0) {
        settings_release(&fresh);
        return -1;
    }
    warn_of_certificate(serving);
    level = settings_number(&fresh, SETTING_LOG_LEVEL);
    if (!log_enabled((enum log_level)level))
        log_set_level((enum log_level)level); /* its change is to be seen */
    for (int id = 0; id < SETTING_COUNT; id++)
        take_over(&serving->settings, &fresh, (enum setting_id)id);
    settings_release(&fresh);
    service_options = service_options_of(&serving->settings);
    service_reconfigure(serving->service, &service_options);
    log_set_level((enum log_level)level);
    return 0;
}

static void tell_ready(struct serving *serving)
{
    notify_send(&serving->notify, "READY=1\nSTATUS=serving on %s://%s",
        http_server_scheme(serving->server), http_server_address(serving->server));
}

static void reload(struct serving *serving)
{
    struct err err = {0};

    if (serving->ready)
        notify_send(&serving->notify, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reloading",
            (long long)clock_monotonic_us());
    if (take_settings(serving, &err) < 0)
        log_line(LOG_ERROR, "reloading: %s; everything stays as it was", err.message);
    else
        log_line(LOG_INFO, "reloaded");
    if (serving->ready)
        tell_ready(serving);
}

/* --- Waiting ---------------------------------------------------------------------------------- */

/* Tells the service manager what is due; returns how long nothing more will be. -1: for ever. */
static int64_t look_after(struct serving *serving)
{
    int64_t half_us = serving->notify.watchdog_us / 2, now_us = clock_monotonic_us();
    int64_t wait_us = half_us ? serving->watchdog_due_us - now_us : -1;

    if (!notify_wanted(&serving->notify))
        return -1;
    if (half_us && wait_us <= 0) {
        if (server_reacts(http_server_address(serving->server), REACTION_MS))
            notify_send(&serving->notify, "WATCHDOG=1");
        else
            log_line(LOG_ERROR, "the server does not react to a request of its own");
        serving->watchdog_due_us = now_us + half_us;
        wait_us = half_us;
    }
    if (!serving->ready && service_ready(serving->service)) {
        serving->ready = true;
        tell_ready(serving);
    }
    return serving->ready || (half_us && wait_us < READY_POLL_US) ? wait_us : READY_POLL_US;
}

static int next_signal(struct serving *serving)
{
    for (;;) {
        int64_t wait_us = look_after(serving);
        const struct timespec wait = {wait_us / 1000000, wait_us % 1000000 * 1000};
        int number = wait_us < 0 ? sigwaitinfo(&serving->signals, NULL)
                                 : sigtimedwait(&serving->signals, NULL, &wait);

        if (number > 0)
            return number;
    }
}

/* The second SIGTERM or SIGINT: whoever sends it does not want to wait for requests in flight. What
 * they have written is as after a kill: whole, or not there. SIGHUP does nothing any more, and
 * wakes this thread up when all is done. */
static void *stop_at_once(void *ctx)
{
    struct serving *serving = ctx;
    int number = SIGHUP;

    while (number == SIGHUP) {
        sigwait(&serving->signals, &number);
        if (__atomic_load_n(&serving->stopped, __ATOMIC_ACQUIRE))
            return NULL;
    }
    log_line(LOG_WARN, "stopping at once: %s again", strsignal(number));
    notify_send(&serving->notify, "STATUS=stopped at once");
    _exit(EXIT_FAILED);
}

static void stop(struct serving *serving, struct fleet *fleet)
{
    pthread_t second;
    bool waits = pthread_create(&second, NULL, stop_at_once, serving) == 0;

    notify_send(&serving->notify, "STOPPING=1\nSTATUS=waiting for requests in flight");
    http_server_stop(serving->server, DRAIN_MS);
    service_stop(serving->service);
    fleet_close(fleet);
    __atomic_store_n(&serving->stopped, true, __ATOMIC_RELEASE);
    if (waits) {
        pthread_kill(second, SIGHUP);
        pthread_join(second, NULL);
    }
    log_line(LOG_INFO, "stopped");
}

/* --- Start ------------------------------------------------------------------------------------ */

/* Signals are taken by next_signal() in the main thread alone: every thread started later inherits
 * the mask. SIGPIPE would kill the process when a client hangs up. */
static void block_signals(sigset_t *ret)
{
    sigemptyset(ret);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGINT);
    sigaddset(ret, SIGHUP);
    pthread_sigmask(SIG_BLOCK, ret, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int start(struct serving *serving, struct fleet *fleet, struct err *err)
{
    const struct service_options service_options = service_options_of(&serving->settings);
    const struct http_options http_options = http_options_of(&serving->settings);
    struct http_app app;

    serving->service = service_start(fleet, &service_options, err);
    if (!serving->service)
        return -1;
    app = service_app(serving->service);
    serving->server = http_server_start(&http_options, &app, err);
    if (!serving->server) {
        service_stop(serving->service);
        return -1;
    }
    service_set_server(serving->service, serving->server);
    log_line(LOG_INFO, "listening on %s://%s", http_server_scheme(serving->server),
        http_server_address(serving->server));
    warn_of_certificate(serving);
    notify_send(&serving->notify, "STATUS=loading the index");
    return 0;
}

static int serve(struct serving *serving, struct err *err)
{
    struct fleet *fleet;
    int number;

    fleet = fleet_open(settings_text(&serving->settings, SETTING_DATA_DIR), STORE_CREATE, err);
    if (!fleet)
        return -1;
    if (start(serving, fleet, err) < 0) {
        fleet_close(fleet);
        return -1;
    }
    while ((number = next_signal(serving)) == SIGHUP)
        reload(serving);
    log_line(LOG_INFO, "stopping: %s", strsignal(number));
    stop(serving, fleet);
    return 0;
}

/* With requests logged many at a time. */
static int serve_logging(struct serving *serving, struct err *err)
{
    int failed;

    block_signals(&serving->signals);
    if (log_gather_start(err) < 0)
        return -1;
    failed = serve(serving, err);
    log_gather_stop();
    return failed;
}

static int check(const struct settings *settings, struct err *err)
{
    if (settings_check(settings, err) < 0)
        return -1;
    return settings_print_changed(settings, err);
}

static int run(const struct cli_args *args)
{
    const struct settings_sources sources = settings_sources_of(args);
    struct serving serving = {.args = args};
    struct err err = {0};
    int failed;

    if (args->word_count)
        return cli_usage("serve", "there is no argument %s", args->words[0]);
    if (settings_read(&sources, &serving.settings, &err) < 0)
        return cli_fail("serve", &err);
    if (cli_given(args, "check")) {
        failed = check(&serving.settings, &err);
    } else {
        log_set_level((enum log_level)settings_number(&serving.settings, SETTING_LOG_LEVEL));
        log_set_format((enum log_format)settings_number(&serving.settings, SETTING_LOG_FORMAT));
        if (notify_open(&serving.notify, &err) < 0)
            log_line(LOG_WARN, "%s; the service manager is told nothing", err.message);
        failed = serve_logging(&serving, &err);
        notify_close(&serving.notify);
    }
    settings_release(&serving.settings);
    return failed ? cli_fail("serve", &err) : EXIT_DONE;
}

const struct command command_serve = {.name = "serve",
    .summary = "serve the HTTP API",
    .arguments = "",
    .details =
        "Answers Huawei Cloud HSS v5's calls about vulnerabilities of images (ListVulAffectImages\n"
        "and those that decide), and Careen's own /careen/v1; /openapi.json lists them all. Each\n"
        "option but the first two can stand in the configuration file, too (careen settings "
        "prints\n"
        "one), or in the environment: max_report_bytes, CAREEN_MAX_REPORT_BYTES.\n\n"
        "SIGTERM lets requests in flight end, a second one does not. SIGHUP reads file,\n"
        "environment and certificate again. Defaults stand in [].",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .tables = OPTIONS_SETTINGS,
    .run = run};
