/* SPDX-License-Identifier: Apache-2.0 */
/* See client.h. */
#include "http/client.h"

#include "base/limits.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

struct http_client {
    CURL *curl;
    char *base; /* without a '/' at its end */
    const char *ca;
    char message[CURL_ERROR_SIZE];
};

static bool is_base(const char *base)
{
    const char *host = strncmp(base, "https://", 8) == 0  ? base + 8
                       : strncmp(base, "http://", 7) == 0 ? base + 7
                                                          : "";

    return *host && *host != '/' && !strpbrk(host, "?#@ \t\r\n");
}

struct http_client *http_client_open(const char *base, const char *ca, struct err *err)
{
    struct http_client *client;
    size_t len = strlen(base);

    if (!is_base(base)) {
        err_set(err, ERR_USAGE,
            "the server must be given as https://HOST[:PORT] or http://HOST[:PORT], not \"%s\"",
            base);
        return NULL;
    }
    client = calloc(1, sizeof(*client));
    if (!client || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        free(client);
        err_nomem(err);
        return NULL;
    }
    while (len && base[len - 1] == '/')
        len--;
    client->ca = ca;
    client->base = strndup(base, len);
    client->curl = curl_easy_init();
    if (!client->base || !client->curl) {
        http_client_close(client);
        err_nomem(err);
        return NULL;
    }
    return client;
}

void http_client_close(struct http_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->curl);
    curl_global_cleanup();
    free(client->base);
    free(client);
}

/* ---- one request ---- */

static size_t take_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct buf *to = ctx;

    buf_put(to, bytes, size * count);
    return to->failed ? 0 : size * count;
}

/* Called at least once a second. */
static int is_stopped(
    void *ctx, curl_off_t to_get, curl_off_t got, curl_off_t to_send, curl_off_t sent)
{
    const struct http_post *post = ctx;

    (void)to_get;
    (void)got;
    (void)to_send;
    (void)sent;
    return *post->stop != 0;
}

static struct curl_slist *add_header(
    struct curl_slist *headers, const char *name, const char *value)
{
    struct buf line = BUF_INIT(LIMIT_HTTP_ONE_HEADER_BYTES);
    struct curl_slist *longer = NULL;

    buf_printf(&line, "%s: %s", name, value);
    if (!line.failed)
        longer = curl_slist_append(headers, line.data);
    buf_release(&line);
    if (!longer)
        curl_slist_free_all(headers);
    return longer;
}

/* NULL when memory runs out. curl asks "Expect: 100-continue" of itself; nobody needs it. */
static struct curl_slist *make_headers(const struct http_post *post)
{
    struct curl_slist *headers = add_header(NULL, "Content-Type", post->content_type);

    if (headers && post->token)
        headers = add_header(headers, "X-Auth-Token", post->token);
    return headers ? add_header(headers, "Expect", "") : NULL;
}

static void set_up(struct http_client *client, const struct http_post *post, const char *url,
    struct curl_slist *headers, struct buf *ret)
{
    CURL *curl = client->curl;

    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->message);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "careen/" CAREEN_VERSION);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body.len);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, post->body.len ? post->body.ptr : "");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, ret);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)LIMIT_CLIENT_CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)LIMIT_CLIENT_S);
    if (post->stop) {
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, is_stopped);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, post);
    }
    if (client->ca) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, client->ca);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
}

static int say_why(
    const struct http_client *client, CURLcode code, const struct buf *ret, struct err *err)
{
    if (code == CURLE_WRITE_ERROR && ret->failed)
        return buf_check(ret, "the server's answer", err);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return err_set(err, ERR_BUSY, "interrupted");
    if (code == CURLE_OUT_OF_MEMORY)
        return err_nomem(err);
    return err_set(err, ERR_IO, "%s: %s", client->base,
        client->message[0] ? client->message : curl_easy_strerror(code));
}

int http_client_post(struct http_client *client, const struct http_post *post, int *ret_status,
    struct buf *ret, struct err *err)
{
    struct buf url = BUF_INIT(LIMIT_HTTP_URI_BYTES);
    struct curl_slist *headers = make_headers(post);
    CURLcode code = CURLE_OUT_OF_MEMORY;
    long status = 0;
    int failed;

    buf_put_cstr(&url, client->base);
    buf_put_slice(&url, post->target);
    failed = buf_check(&url, "the address", err);
    client->message[0] = '\0';
    if (headers && !failed) {
        set_up(client, post, url.data, headers, ret);
        code = curl_easy_perform(client->curl);
        curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
    }
    curl_slist_free_all(headers);
    buf_release(&url);
    if (failed)
        return -1;
    if (code != CURLE_OK)
        return say_why(client, code, ret, err);
    *ret_status = (int)status;
    return 0;
}
