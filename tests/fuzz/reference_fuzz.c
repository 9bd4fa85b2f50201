// room: model
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an image reference. Put together again the parts must be the text, and be read as
 * the same parts; the repository must be a repository and lie within the name.
 */
#include "base/bug.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "model/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct slice text, const struct reference *ref)
{
    struct buf joined = BUF_INIT(SIZE_MAX);
    struct slice repository = reference_repository(ref->name);
    struct reference back;
    struct err err;

    buf_put_slice(&joined, ref->name);
    if (ref->tag.len)
        buf_printf(&joined, ":%.*s", SLICE_FMT(ref->tag));
    if (ref->digest.len)
        buf_printf(&joined, "@%.*s", SLICE_FMT(ref->digest));
    BUG_ON(!slice_eq(buf_slice(&joined), text));
    buf_release(&joined);

    BUG_ON(repository.ptr + repository.len != ref->name.ptr + ref->name.len);
    BUG_ON(reference_parse(repository, &back, &err) != 0 || !slice_eq(back.name, repository));
    BUG_ON(digest_is_valid(ref->digest) && ref->digest.len != 71);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    struct reference ref = {0};
    struct err err = {0};

    if (reference_parse(text, &ref, &err) == 0) {
        BUG_ON(err.code != ERR_NONE || !utf8_is_line(text));
        check(text, &ref);
    } else {
        BUG_ON(err.code != ERR_INVALID || ref.name.ptr);
    }
    return 0;
}
