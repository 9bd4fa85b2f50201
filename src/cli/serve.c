/* SPDX-License-Identifier: Apache-2.0 */
/* careen serve: the HTTP server, until SIGTERM or SIGINT. */
#include "api/service.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/cli.h"

#include <signal.h>
#include <sys/stat.h>

/* Two passwords may be checked at a time (auth/passwords.h): others are left for imports. */
enum { DRAIN_MS = 10000, WORKERS = 4 };

static const struct cli_option options[] = {
    {"listen", "ADDRESS:PORT", "where to listen; 127.0.0.1:8080 if not given; port 0: any free",
        NULL},
    {"threads", "N", "event loops; one per core if not given", NULL},
    {"domain", "NAME", "the name of the IAM domain; \"careen\" if not given", NULL},
    {"strict-parameters", NULL, "answer 400 when a required parameter is missing", NULL},
    {"max-report-bytes", "N", "largest body of an import; 67108864 if not given", NULL},
    {"log-keep-days", "N", "how long the change log is kept; 30 if not given", NULL},
    {"no-access-log", NULL, "do not log requests", NULL},
    {"log-level", "LEVEL", "error, warn, info or debug; info if not given", NULL},
};

struct settings {
    struct http_options http;
    struct service_options service;
};

static int parse_number(
    const struct cli_args *args, const char *name, uint64_t high, uint64_t *value, struct err *err)
{
    if (!cli_given(args, name))
        return 0;
    if (!slice_to_u64(cli_slice(args, name), value) || *value < 1 || *value > high)
        return err_set(err, ERR_USAGE, "--%s must be 1-%llu, not \"%s\"", name,
            (unsigned long long)high, cli_value(args, name));
    return 0;
}

static int set_log_level(const struct cli_args *args, struct err *err)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    static const struct words levels = {"log-level", names, 4};
    int level =
        cli_given(args, "log-level") ? words_find(&levels, cli_slice(args, "log-level")) : LOG_INFO;

    if (level < 0)
        return err_set(err, ERR_USAGE, "--log-level must be error, warn, info or debug, not \"%s\"",
            cli_value(args, "log-level"));
    log_set_level((enum log_level)level);
    return 0;
}

static int read_settings(const struct cli_args *args, struct settings *ret, struct err *err)
{
    uint64_t threads = 0, max_report = LIMIT_REPORT_BODY_BYTES, keep_days = 30;

    if (parse_number(args, "threads", 256, &threads, err) < 0 ||
        parse_number(args, "max-report-bytes", LIMIT_REPORT_BYTES, &max_report, err) < 0 ||
        parse_number(args, "log-keep-days", 36500, &keep_days, err) < 0 ||
        set_log_level(args, err) < 0)
        return -1;
    ret->http = (struct http_options){
        .listen = cli_given(args, "listen") ? cli_value(args, "listen") : "127.0.0.1:8080",
        .spool_dir = args->data_dir,
        .threads = (unsigned)threads,
        .workers = WORKERS,
        .access_log = !cli_given(args, "no-access-log")};
    ret->service = (struct service_options){.data_dir = args->data_dir,
        .domain = cli_given(args, "domain") ? cli_value(args, "domain") : "careen",
        .strict_parameters = cli_given(args, "strict-parameters"),
        .max_report_bytes = max_report,
        .log_keep_ms = (int64_t)keep_days * 86400000,
        .retention = {.superseded_ms = -1, .unseen_ms = -1},
        .refusals_per_address = 300};
    return 0;
}

/* Signals are taken by sigwait() in the main thread alone: every thread started later inherits the
 * mask. SIGPIPE would kill the process when a client hangs up. */
static void block_signals(sigset_t *ret)
{
    sigemptyset(ret);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGINT);
    pthread_sigmask(SIG_BLOCK, ret, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int serve(
    struct fleet *fleet, const struct settings *settings, const sigset_t *signals, struct err *err)
{
    struct service *service = service_start(fleet, &settings->service, err);
    struct http_app app;
    struct http_server *server;
    int signal_number = 0;

    if (!service)
        return -1;
    app = service_app(service);
    server = http_server_start(&settings->http, &app, err);
    if (!server) {
        service_stop(service);
        return -1;
    }
    service_set_server(service, server);
    log_line(LOG_INFO, "listening on http://%s", http_server_address(server));
    sigwait(signals, &signal_number);
    log_line(LOG_INFO, "stopping: %s", strsignal(signal_number));
    http_server_stop(server, DRAIN_MS);
    service_stop(service);
    log_line(LOG_INFO, "stopped");
    return 0;
}

static int run(const struct cli_args *args)
{
    struct settings settings = {0};
    struct err err = {0};
    struct fleet *fleet;
    sigset_t signals;
    int failed;

    if (args->word_count)
        return cli_usage("serve", "there is no argument %s", args->words[0]);
    if (read_settings(args, &settings, &err) < 0)
        return cli_fail("serve", &err);
    block_signals(&signals);
    fleet = fleet_open(args->data_dir, STORE_CREATE, &err);
    if (!fleet)
        return cli_fail("serve", &err);
    failed = serve(fleet, &settings, &signals, &err);
    fleet_close(fleet);
    return failed ? cli_fail("serve", &err) : EXIT_DONE;
}

const struct command command_serve = {.name = "serve",
    .summary = "serve the HTTP API",
    .arguments = "",
    .details = "Answers GET /v5/{project_id}/vulnerability/images (ListVulAffectImages of Huawei\n"
               "Cloud HSS v5) and Careen's own /careen/v1. SIGTERM lets requests in flight end.",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = run};
