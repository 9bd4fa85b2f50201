/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens from their making to their end, and while the table is being refreshed. */
#include "folder.h"

#include <pthread.h>
#include <stdatomic.h>

#include "auth/tokens.h"
#include "base/limits.h"

struct made {
    char text[TOKEN_TEXT_BYTES];
    uint32_t number;
};

static struct made make(struct store *store, enum role role, int64_t expires_ms)
{
    const struct token_request request = {
        .project = 1, .role = role, .label = SLICE("a label"), .expires_ms = expires_ms};
    struct made made;
    struct err err;

    assert_ok(token_create(store, &request, made.text, &made.number, &err));
    return made;
}

static struct tokens *open_tokens(struct store *store)
{
    struct err err;
    struct tokens *tokens = tokens_open(store, &err);

    if (!tokens)
        fail_msg("%s", err.message);
    return tokens;
}

static void check(struct tokens *tokens, const char *text, int64_t now_ms,
    enum token_verdict expected, const struct made *made, int64_t expires_ms)
{
    struct token_found found = {.number = 77};

    assert_int_equal(tokens_check(tokens, slice_of(text), now_ms, &found), expected);
    assert_int_equal(found.number, made ? made->number : 77);
    if (made) {
        assert_int_equal(found.project, 1);
        assert_int_equal(found.expires_ms, expires_ms);
        assert_true(found.created_ms > 0);
    }
}

static void test_text(void **state)
{
    struct folder *folder = *state;
    struct made one = make(folder->store, ROLE_VIEWER, 0);
    struct made two = make(folder->store, ROLE_VIEWER, 0);

    assert_true(slice_starts_with(slice_of(one.text), "careen_"));
    assert_int_equal(strlen(one.text), TOKEN_TEXT_BYTES - 1);
    assert_int_equal(strspn(one.text + 7, "0123456789abcdef"), 64);
    assert_string_not_equal(one.text, two.text);
    assert_true(two.number > one.number);
}

static void test_verdicts(void **state)
{
    struct folder *folder = *state;
    struct made lasting = make(folder->store, ROLE_ADMIN, 0);
    struct made brief = make(folder->store, ROLE_VIEWER, 5000);
    struct tokens *tokens = open_tokens(folder->store);
    struct token_found found;
    char other[TOKEN_TEXT_BYTES];
    struct err err;

    check(tokens, lasting.text, 1, TOKEN_GOOD, &lasting, 0);
    check(tokens, lasting.text, INT64_MAX, TOKEN_GOOD, &lasting, 0);
    check(tokens, brief.text, 4999, TOKEN_GOOD, &brief, 5000);
    check(tokens, brief.text, 5000, TOKEN_EXPIRED, &brief, 5000);
    tokens_check(tokens, slice_of(lasting.text), 1, &found);
    assert_int_equal(found.role, ROLE_ADMIN);

    memcpy(other, lasting.text, sizeof(other));
    other[20] = (char)(other[20] == '0' ? '1' : '0');
    check(tokens, other, 1, TOKEN_UNKNOWN, NULL, 0);
    check(tokens, "", 1, TOKEN_UNKNOWN, NULL, 0);
    check(tokens, "careen_", 1, TOKEN_UNKNOWN, NULL, 0);
    check(tokens, lasting.text + 7, 1, TOKEN_UNKNOWN, NULL, 0);

    assert_ok(token_revoke(folder->store, brief.number, &err));
    check(tokens, brief.text, 1, TOKEN_GOOD, &brief, 5000); /* not taken in yet */
    assert_ok(tokens_refresh(tokens, &err));
    check(tokens, brief.text, 1, TOKEN_REVOKED, &brief, 5000);
    check(tokens, brief.text, 6000, TOKEN_REVOKED, &brief, 5000);
    check(tokens, lasting.text, 1, TOKEN_GOOD, &lasting, 0);
    tokens_close(tokens);
    tokens_close(NULL);
}

/* Made after the table was read: known after the next refresh. */
static void test_refresh(void **state)
{
    struct folder *folder = *state;
    struct tokens *tokens = open_tokens(folder->store);
    struct made made[50];
    struct err err;

    for (size_t i = 0; i < 50; i++)
        made[i] = make(folder->store, ROLE_VIEWER, 0);
    check(tokens, made[0].text, 1, TOKEN_UNKNOWN, NULL, 0);
    assert_ok(tokens_refresh(tokens, &err));
    for (size_t i = 0; i < 50; i++)
        check(tokens, made[i].text, 1, TOKEN_GOOD, &made[i], 0);
    tokens_close(tokens);
}

static int note_text(void *ctx, const struct token *token, struct err *err)
{
    const char *text = ctx;

    (void)err;
    assert_slice(token->label, "a label");
    assert_memory_not_equal(token->hash, text, SHA256_BYTES);
    return 0;
}

/* The folder holds the hash, and nowhere the text. */
static void test_secrecy(void **state)
{
    struct folder *folder = *state;
    struct made made = make(folder->store, ROLE_VIEWER, 0);
    struct err err;
    char command[700];

    assert_ok(store_each_token(folder->store, note_text, made.text, &err));
    snprintf(command, sizeof(command), "grep -rqF '%.30s' '%s'", made.text, folder->path);
    assert_int_not_equal(system(command), 0);
}

static void test_refusals(void **state)
{
    struct folder *folder = *state;
    struct token_request request = {.project = 1, .label = SLICE("two\nlines")};
    char text[TOKEN_TEXT_BYTES] = "untouched", label[LIMIT_ID_CHARS + 2];
    uint32_t number = 77;
    struct err err = {0};

    assert_failed(
        token_create(folder->store, &request, text, &number, &err), &err, ERR_INVALID, "label");
    request.label = SLICE("\xff");
    assert_failed(
        token_create(folder->store, &request, text, &number, &err), &err, ERR_INVALID, "label");
    memset(label, 'x', sizeof(label));
    request.label = (struct slice){label, LIMIT_ID_CHARS + 1};
    assert_failed(
        token_create(folder->store, &request, text, &number, &err), &err, ERR_INVALID, "256");
    request.label.len = LIMIT_ID_CHARS;
    request.project = 99;
    assert_int_equal(token_create(folder->store, &request, text, &number, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal(text, "untouched");
    assert_int_equal(number, 77);
    request.project = 1;
    assert_ok(token_create(folder->store, &request, text, &number, &err));

    assert_ok(token_revoke(folder->store, number, &err));
    assert_ok(token_revoke(folder->store, number, &err)); /* nothing changes */
    assert_failed(token_revoke(folder->store, number + 1, &err), &err, ERR_NOT_FOUND, "token");
}

/* --- Checks beside refreshes ------------------------------------------------------------------ */

struct checking {
    struct tokens *tokens;
    const struct made *made;
    atomic_bool done;
    atomic_uint wrong, checks;
};

static void *check_on(void *ctx)
{
    struct checking *c = ctx;
    struct token_found found;

    while (!atomic_load(&c->done)) {
        if (tokens_check(c->tokens, slice_of(c->made->text), 1, &found) != TOKEN_GOOD ||
            found.number != c->made->number)
            atomic_fetch_add(&c->wrong, 1);
        atomic_fetch_add(&c->checks, 1);
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct folder *folder = *state;
    struct made made = make(folder->store, ROLE_VIEWER, 0);
    struct checking c = {.tokens = open_tokens(folder->store), .made = &made};
    pthread_t threads[2];
    struct err err;

    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, check_on, &c), 0);
    for (int i = 0; i < 200; i++) {
        if (i % 20 == 0)
            make(folder->store, ROLE_VIEWER, 0);
        assert_ok(tokens_refresh(c.tokens, &err));
    }
    atomic_store(&c.done, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&c.wrong), 0);
    assert_true(atomic_load(&c.checks) > 0);
    tokens_close(c.tokens);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_text),
        IN_FOLDER(test_verdicts),
        IN_FOLDER(test_refresh),
        IN_FOLDER(test_secrecy),
        IN_FOLDER(test_refusals),
        IN_FOLDER(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
