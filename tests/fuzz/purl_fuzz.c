// room: sbom
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * purl_parse() on any bytes, in both modes: what is parsed and built again parses to the same
 * parts, and is in canonical form then; what is strictly valid is the same when read leniently.
 */
#include "base/bug.h"
#include "base/cleanup.h"
#include "sbom/purl.h"

static bool same_parts(const struct purl *a, const struct purl *b)
{
    if (!slice_eq(a->type, b->type) || !slice_eq(a->namespace, b->namespace) ||
        !slice_eq(a->name, b->name) || !slice_eq(a->version, b->version) ||
        !slice_eq(a->subpath, b->subpath) || a->qualifier_count != b->qualifier_count)
        return false;
    for (size_t i = 0; i < a->qualifier_count; i++)
        if (!slice_eq(a->qualifiers[i].key, b->qualifiers[i].key) ||
            !slice_eq(a->qualifiers[i].value, b->qualifiers[i].value))
            return false;
    return true;
}

static void check(const struct purl *purl, enum purl_mode mode)
{
    struct buf built CLEANUP(buf_release) = BUF_INIT(PURL_MAX_BYTES);
    struct buf again CLEANUP(buf_release) = BUF_INIT(PURL_MAX_BYTES);
    struct purl parsed;
    struct err err = {0};

    BUG_ON(purl->type.len == 0 || purl->name.len == 0);
    if (purl_build(purl, mode, &built, &err) < 0) {
        BUG_ON(err.code != ERR_LIMIT); /* encoding makes it longer */
        return;
    }
    BUG_ON(purl_parse(buf_slice(&built), mode, &parsed, &err) < 0);
    BUG_ON(!same_parts(purl, &parsed));
    BUG_ON(purl_build(&parsed, mode, &again, &err) < 0);
    BUG_ON(!slice_eq(buf_slice(&built), buf_slice(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    struct purl strict, lenient;
    struct err err = {0};
    bool is_strict = purl_parse(text, PURL_STRICT, &strict, &err) == 0;
    bool is_lenient = purl_parse(text, PURL_LENIENT, &lenient, &err) == 0;

    if (is_strict)
        check(&strict, PURL_STRICT);
    if (is_lenient)
        check(&lenient, PURL_LENIENT);
    BUG_ON(is_strict && (!is_lenient || !same_parts(&strict, &lenient)));
    return 0;
}
