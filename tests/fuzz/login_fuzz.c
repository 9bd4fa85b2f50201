// room: api
/* SPDX-License-Identifier: Apache-2.0 */
/* The body of POST /v3/auth/tokens: anybody may send it. What is read is either refused with a
 * message, or has a user and a password. */
#include "api/iam_login.h"
#include "base/bug.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct login_request login = {0};
    struct err err = {0};
    struct stream *body = stream_open_memory((struct slice){(const char *)data, size}, &err);
    struct arena arena;

    BUG_ON(!body);
    arena_init(&arena, "a login", 1 << 20);
    if (login_request_read(body, &arena, &login, &err) == 0)
        BUG_ON(!login.user_name.len || !login.password.len ||
               (login.scope_project && login.scope_domain));
    else
        BUG_ON(err.code == ERR_NONE || !err.message[0] || login.user_name.ptr);
    stream_close(body);
    arena_release(&arena);
    return 0;
}
