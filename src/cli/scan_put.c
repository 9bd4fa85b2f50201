/* SPDX-License-Identifier: Apache-2.0 */
/*
 * careen scan --data, careen scan --server: a scanned image into an inventory, in the slot
 * `careen`: into the store of a data folder, or to a server, as the CycloneDX document that says of
 * itself that Careen scanned it.
 */
#include "cli/scanning.h"

#include "api/image_render.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "codec/json_reader.h"
#include "http/client.h"

#include <stdlib.h>

struct scan_put {
    const struct cli_args *args;
    struct placement_request given;
    struct fleet *fleet; /* of --data */
    uint32_t project;
    struct http_client *client; /* of --server */
    const char *token;
    const volatile sig_atomic_t *stop;
    struct buf target; /* "/careen/v1/default/images?..." */
};

/* ---- opening ---- */

static const char *option_or_environment(
    const struct cli_args *args, const char *option, const char *variable)
{
    const char *value = cli_value(args, option);

    if (!value)
        value = getenv(variable);
    return value && *value ? value : NULL;
}

/* The options of the placement, as the server's parameters. */
static void write_target(struct scan_put *put)
{
    const char *project = cli_value(put->args, "project");

    buf_put_cstr(&put->target, "/careen/v1/");
    percent_encode(&put->target, slice_of(project ? project : "default"));
    buf_put_cstr(&put->target, "/images?image_type=");
    buf_put_cstr(&put->target, words_name(&image_type_words, (int)put->given.place.type));
    for (size_t i = 0; i < put->args->option_count; i++) {
        const struct cli_option *option = &put->args->options[i];

        if (!option->param || !put->args->values[i] || strcmp(option->param, "image_type") == 0)
            continue;
        buf_put_char(&put->target, '&');
        percent_encode(&put->target, slice_of(option->param));
        buf_put_char(&put->target, '=');
        percent_encode(&put->target, slice_of(put->args->values[i]));
    }
}

static int open_server(struct scan_put *put, const char *server, struct err *err)
{
    put->token = option_or_environment(put->args, "token", "CAREEN_TOKEN");
    if (!put->token)
        return err_set(err, ERR_USAGE,
            "the server needs a token of the project (careen token create): CAREEN_TOKEN, or "
            "--token");
    for (const char *at = put->token; *at; at++)
        if (*at <= ' ' || *at > '~')
            return err_set(err, ERR_USAGE,
                "the token holds a space, a line end or the like, which no token of Careen does");
    put->client = http_client_open(server, cli_value(put->args, "ca"), err);
    if (!put->client)
        return -1;
    write_target(put);
    return buf_check(&put->target, "the address", err);
}

static int open_put(struct scan_put *put, const char *server, struct err *err)
{
    if (cli_placement(put->args, &put->given, err) < 0)
        return -1;
    if (server)
        return open_server(put, server, err);
    put->fleet = cli_open(put->args, STORE_CREATE, true, &put->project, err);
    return put->fleet ? 0 : -1;
}

/* Options that say where an image goes, when it goes nowhere: whoever forgets --data must not
 * believe that it is in. */
static int refuse_place(const struct cli_args *args, struct err *err)
{
    for (size_t i = 0; i < args->option_count; i++)
        if (args->values[i] &&
            (args->options[i].param || strcmp(args->options[i].name, "project") == 0))
            return err_set(err, ERR_USAGE,
                "--%s is about an image in an inventory: name one with --data DIR or --server URL",
                args->options[i].name);
    return 0;
}

int scan_put_open(const struct cli_args *args, const volatile sig_atomic_t *stop,
    struct scan_put **ret, struct err *err)
{
    const char *server = cli_value(args, "server");
    struct scan_put *put;

    if (server && args->data_given)
        return err_set(err, ERR_USAGE, "--data and --server are two places: give one");
    if (server && !*server)
        return err_set(err, ERR_USAGE, "--server is given, but empty");
    if (!args->data_given)
        server = option_or_environment(args, "server", "CAREEN_SERVER");
    if (!server && !args->data_given) {
        if (refuse_place(args, err) < 0)
            return -1;
        *ret = NULL;
        return 0;
    }
    put = calloc(1, sizeof(*put));
    if (!put)
        return err_nomem(err);
    put->args = args;
    put->stop = stop;
    put->target.max = LIMIT_HTTP_URI_BYTES;
    if (open_put(put, server, err) < 0) {
        scan_put_close(put);
        return -1;
    }
    *ret = put;
    return 0;
}

void scan_put_close(struct scan_put *put)
{
    if (!put)
        return;
    fleet_close(put->fleet);
    http_client_close(put->client);
    buf_release(&put->target);
    free(put);
}

/* ---- what it meant ---- */

/* Names and answers come from anywhere: what is no character of a line is shown as U+FFFD. */
static void put_shown(struct buf *out, struct slice text)
{
    while (text.len)
        buf_put_slice(out, utf8_pull_shown(&text));
}

struct told {
    struct slice image_id, assessment;
    int64_t packages, findings;
};

static void write_line(const char *target, const struct scanned_image *image,
    const struct scan_put *put, const struct told *told, struct buf *out)
{
    struct buf line CLEANUP(buf_release) = BUF_INIT(LIMIT_REPORT_MEMORY_BYTES);

    if (put->given.name.len) {
        buf_put_slice(&line, put->given.name);
        if (put->given.version.len)
            buf_printf(&line, ":%.*s", SLICE_FMT(put->given.version));
    } else {
        scan_title(target, image, &line);
    }
    buf_printf(&line, ": %lld packages, %lld findings, %.*s, image %.*s", (long long)told->packages,
        (long long)told->findings, SLICE_FMT(told->assessment), SLICE_FMT(told->image_id));
    put_shown(out, buf_slice(&line));
    buf_put_char(out, '\n');
    out->failed |= line.failed;
}

/* ---- into a data folder ---- */

static int put_here(struct scan_put *put, const char *target, const struct scanned_image *image,
    enum cli_format format, struct buf *out, struct err *err)
{
    struct put_request request = {
        &image->report, &put->given.place, put->given.name, put->given.version};
    struct put_outcome outcome = {0};

    if (fleet_put_images(put->fleet, put->project, &request, 1, "careen scan", &outcome, err) < 0)
        return -1;
    if (outcome.failed) {
        *err = outcome.err;
        return -1;
    }
    if (format == FORMAT_JSONL) {
        image_write_outcome(out, &image->report, &outcome);
        buf_put_char(out, '\n');
    } else {
        write_line(target, image, put,
            &(struct told){slice_of(outcome.image_id),
                slice_of(words_name(&assessment_words, (int)outcome.assessment)),
                (int64_t)outcome.packages, (int64_t)outcome.findings},
            out);
    }
    return buf_check(out, "the answer", err);
}

/* ---- to a server ---- */

/* What an answer says: an outcome, or an error. */
struct answer {
    struct told told;
    struct slice error_code, error_message;
};

static int read_answer(struct slice body, struct arena *arena, struct answer *ret, struct err *err)
{
    struct stream *in CLEANUP(stream_cleanup) = stream_open_memory(body, err);
    struct json_reader *json CLEANUP(json_reader_cleanup) = in ? json_reader_new(in, err) : NULL;
    struct slice key;

    if (!json)
        return -1;
    json_begin_object(json);
    while (json_next_key(json, &key)) {
        if (slice_is(key, "image_id"))
            json_read_string(json, arena, &ret->told.image_id);
        else if (slice_is(key, "assessment"))
            json_read_string(json, arena, &ret->told.assessment);
        else if (slice_is(key, "packages"))
            json_read_i64(json, &ret->told.packages);
        else if (slice_is(key, "findings"))
            json_read_i64(json, &ret->told.findings);
        else if (slice_is(key, "error_code"))
            json_read_string(json, arena, &ret->error_code);
        else if (slice_is(key, "error_msg"))
            json_read_string(json, arena, &ret->error_message);
        else
            json_skip(json);
    }
    return json_reader_finish(json, err);
}

static enum err_code code_of_status(int status)
{
    switch (status) {
    case 400:
    case 422:
        return ERR_INVALID;
    case 401:
    case 403:
        return ERR_FORBIDDEN;
    case 404:
        return ERR_NOT_FOUND;
    case 413:
        return ERR_LIMIT;
    case 429:
    case 503:
        return ERR_BUSY;
    default:
        return ERR_IO;
    }
}

static int refused(int status, const struct answer *answer, bool readable, struct err *err)
{
    if (readable && answer->error_code.len)
        return err_set(err, code_of_status(status), "the server refuses it (%d): %.*s: %.*s",
            status, SLICE_FMT(answer->error_code), SLICE_FMT(answer->error_message));
    return err_set(err, code_of_status(status), "the server answers with status %d%s", status,
        status == 200 ? ", but not what Careen answers" : "");
}

static int send_document(
    struct scan_put *put, struct slice document, struct buf *answer, int *status, struct err *err)
{
    const struct http_post post = {.target = buf_slice(&put->target),
        .token = put->token,
        .content_type = "application/vnd.cyclonedx+json",
        .body = document,
        .stop = put->stop};

    return http_client_post(put->client, &post, status, answer, err);
}

static int put_there(struct scan_put *put, const char *target, const struct scanned_image *image,
    enum cli_format format, struct buf *out, struct err *err)
{
    struct buf document CLEANUP(buf_release) = BUF_INIT(LIMIT_REPORT_BYTES);
    struct buf body CLEANUP(buf_release) = BUF_INIT(LIMIT_DOCUMENT_BYTES);
    struct arena arena CLEANUP(arena_release);
    struct answer answer = {0};
    struct err why;
    int status;
    bool readable;

    arena_init(&arena, "the server's answer", 4 * LIMIT_DOCUMENT_BYTES);
    if (scan_write_sbom(image, FORMAT_CYCLONEDX, &document, err) < 0 ||
        send_document(put, buf_slice(&document), &body, &status, err) < 0)
        return -1;
    readable = read_answer(buf_slice(&body), &arena, &answer, &why) == 0;
    if (status != 200 || !readable || answer.told.image_id.len == 0)
        return refused(status, &answer, readable, err);
    if (format == FORMAT_JSONL) {
        buf_put_slice(out, slice_trim(buf_slice(&body)));
        buf_put_char(out, '\n');
    } else {
        write_line(target, image, put, &answer.told, out);
    }
    return buf_check(out, "the answer", err);
}

int scan_put_image(struct scan_put *put, const char *target, const struct scanned_image *image,
    enum cli_format format, struct buf *out, struct err *err)
{
    const struct report *report = &image->report;

    if (put->given.name.len == 0 && (report->name.len == 0 || !report->is_image))
        return err_set(err, ERR_INVALID, "%s: give it one with --name",
            report->is_image ? "the image has no name" : "a folder has no name");
    return (put->fleet ? put_here : put_there)(put, target, image, format, out, err);
}
