/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens: random texts, shown once when they are made, stored as SHA-256 only. The table of
 * stored tokens is kept in memory, so checking one takes no disk; tokens_refresh() takes in what
 * other processes have made or revoked.
 */
#ifndef CAREEN_AUTH_TOKENS_H
#define CAREEN_AUTH_TOKENS_H

#include "store/store.h"

/* "careen_" and 64 hex digits (256 random bits): recognisable to secret scanners. */
enum { TOKEN_TEXT_BYTES = 7 + 64 + 1 };

struct tokens;

/* Reads the table. The store stays the caller's, and must outlive it. */
struct tokens *tokens_open(struct store *store, struct err *err);
void tokens_close(struct tokens *tokens); /* accepts NULL */
int tokens_refresh(struct tokens *tokens, struct err *err);

enum token_verdict { TOKEN_GOOD, TOKEN_UNKNOWN, TOKEN_REVOKED, TOKEN_EXPIRED };

/* What a token opens. */
struct token_found {
    uint32_t number, project;
    enum role role;
    int64_t created_ms;
    int64_t expires_ms; /* 0: never */
};

/* Judges a token's text. *ret unless TOKEN_UNKNOWN. Compares hashes, so the time taken says nothing
 * of the text. Any thread. */
enum token_verdict tokens_check(
    struct tokens *tokens, struct slice text, int64_t now_ms, struct token_found *ret);

/* What is asked for. */
struct token_request {
    uint32_t project;
    enum role role;
    struct slice label;
    int64_t expires_ms; /* 0: never */
};

/* Makes a token and stores its hash, as one write. ERR_INVALID: a label that is no line of text, or
 * a project that is not stored. */
int token_create(struct store *store, const struct token_request *request,
    char ret_text[TOKEN_TEXT_BYTES], uint32_t *ret_number, struct err *err);
/* ERR_NOT_FOUND when there is no such number. Again: nothing changes. */
int token_revoke(struct store *store, uint32_t number, struct err *err);

#endif
