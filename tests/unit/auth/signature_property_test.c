/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the owner of a key signs is accepted, and after any change of one byte it is not.
 *
 * The signer here was written from the contract's rules alone and shares nothing with the verifier
 * but SHA-256: it starts from the decoded values and never sees the request as it goes over the
 * wire. That is made from the same values with needless escapes, in any order, with keys that have
 * no '='.
 */
#include "unit.h"

#include "auth/signing.h"
#include "rng.h"

#include "codec/hash.h"

#include <ctype.h>

enum { ROUNDS = 1500, CHANGES = 40, TEXT_BYTES = 8192, PARAMS_MAX = 6, SEGMENTS_MAX = 4 };

#define AK "HPUAAKEXAMPLE0000001"
#define SK "a secret of forty characters, or nearly."

/* --- The signer ------------------------------------------------------------------------------- */

struct text {
    size_t len;
    char bytes[TEXT_BYTES];
};

static void add(struct text *t, const char *bytes, size_t len)
{
    assert_true(t->len + len < sizeof(t->bytes));
    if (len) /* bytes may be NULL then */
        memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
    t->bytes[t->len] = '\0';
}

static void add_cstr(struct text *t, const char *s)
{
    add(t, s, strlen(s));
}

static struct slice as_slice(const struct text *t)
{
    return (struct slice){t->bytes, t->len};
}

/* Short texts of any bytes but NUL. */
struct word {
    size_t len;
    unsigned char bytes[12];
};

struct message {
    const char *method;
    struct word segments[SEGMENTS_MAX], names[PARAMS_MAX], values[PARAMS_MAX];
    size_t segment_count, param_count;
    const char *signed_headers; /* lower case, joined by ';' */
    const char *payload_header; /* of X-Sdk-Content-Sha256, or NULL */
    unsigned char body_hash[SHA256_BYTES];
    const char *date, *scope; /* scope NULL: SDK-HMAC-SHA256 */
};

static void sign_escape(struct text *t, const struct word *w)
{
    for (size_t i = 0; i < w->len; i++) {
        char c[4];

        if (isalnum(w->bytes[i]) || (w->bytes[i] && strchr("-._~", w->bytes[i])))
            snprintf(c, sizeof(c), "%c", w->bytes[i]);
        else
            snprintf(c, sizeof(c), "%%%02X", w->bytes[i]);
        add_cstr(t, c);
    }
}

static int word_order(const struct word *a, const struct word *b)
{
    size_t shorter = a->len < b->len ? a->len : b->len;
    int order = memcmp(a->bytes, b->bytes, shorter);

    return order ? order : (int)a->len - (int)b->len;
}

/* The parameter that comes next behind those that are done: the least, by selection. */
static size_t next_param(const struct message *m, const bool done[PARAMS_MAX])
{
    size_t least = PARAMS_MAX;

    for (size_t i = 0; i < m->param_count; i++) {
        int order;

        if (done[i])
            continue;
        if (least == PARAMS_MAX) {
            least = i;
            continue;
        }
        order = word_order(&m->names[i], &m->names[least]);
        if (order < 0 || (order == 0 && word_order(&m->values[i], &m->values[least]) < 0))
            least = i;
    }
    return least;
}

/* HMAC from its definition (RFC 2104); every key here is at most one block long. */
static void sign_hmac(
    const char *key, size_t key_len, const char *bytes, size_t len, unsigned char ret[SHA256_BYTES])
{
    struct text inner = {0}, outer = {0};
    char block[2][64];

    assert_true(key_len <= 64);
    for (size_t i = 0; i < 64; i++) {
        char k = i < key_len ? key[i] : 0;

        block[0][i] = (char)(k ^ 0x36);
        block[1][i] = (char)(k ^ 0x5c);
    }
    add(&inner, block[0], 64);
    add(&inner, bytes, len);
    sha256(as_slice(&inner), ret);
    add(&outer, block[1], 64);
    add(&outer, (const char *)ret, SHA256_BYTES);
    sha256(as_slice(&outer), ret);
}

static void add_hash(struct text *t, const unsigned char hash[SHA256_BYTES])
{
    char hex[2 * SHA256_BYTES + 1];

    hex_encode(hash, SHA256_BYTES, hex);
    add_cstr(t, hex);
}

static void sign_headers(struct text *t, const struct message *m, struct fake_request *fake)
{
    const char *name = m->signed_headers;

    while (*name) {
        size_t len = strcspn(name, ";");
        struct slice value = fake_header(fake, (struct slice){name, len});

        add(t, name, len);
        add_cstr(t, ":");
        while (value.len && strchr(" \t", value.ptr[0]))
            value = (struct slice){value.ptr + 1, value.len - 1};
        while (value.len && strchr(" \t", value.ptr[value.len - 1]))
            value.len--;
        add(t, value.ptr, value.len);
        add_cstr(t, "\n");
        name += len + (name[len] == ';');
    }
}

static void sign_canonical(struct text *t, const struct message *m, struct fake_request *fake)
{
    bool done[PARAMS_MAX] = {false};

    add_cstr(t, m->method);
    add_cstr(t, "\n/");
    for (size_t i = 0; i < m->segment_count; i++) {
        sign_escape(t, &m->segments[i]);
        if (i + 1 < m->segment_count || m->segments[i].len)
            add_cstr(t, "/");
    }
    add_cstr(t, "\n");
    for (size_t i = 0; i < m->param_count; i++) {
        size_t at = next_param(m, done);

        done[at] = true;
        add_cstr(t, i ? "&" : "");
        sign_escape(t, &m->names[at]);
        add_cstr(t, "=");
        sign_escape(t, &m->values[at]);
    }
    add_cstr(t, "\n");
    sign_headers(t, m, fake);
    add_cstr(t, "\n");
    add_cstr(t, m->signed_headers);
    add_cstr(t, "\n");
    if (m->payload_header)
        add_cstr(t, m->payload_header);
    else
        add_hash(t, m->body_hash);
}

static void sign(const struct message *m, struct fake_request *fake, struct text *authorization)
{
    struct text canonical = {0}, to_sign = {0}, key = {0}, info = {0};
    unsigned char hash[SHA256_BYTES];

    sign_canonical(&canonical, m, fake);
    add_cstr(&to_sign, m->scope ? "V11-HMAC-SHA256\n" : "SDK-HMAC-SHA256\n");
    add_cstr(&to_sign, m->date);
    add_cstr(&to_sign, "\n");
    if (m->scope) {
        add_cstr(&to_sign, m->scope);
        add_cstr(&to_sign, "\n");
        add_cstr(&info, m->scope);
        add(&info, "\1", 1);
        sign_hmac(AK, strlen(AK), SK, strlen(SK), hash);
        sign_hmac((const char *)hash, sizeof(hash), info.bytes, info.len, hash);
        add_hash(&key, hash);
    } else {
        add_cstr(&key, SK);
    }
    sha256(as_slice(&canonical), hash);
    add_hash(&to_sign, hash);
    sign_hmac(key.bytes, key.len, to_sign.bytes, to_sign.len, hash);

    add_cstr(authorization,
        m->scope ? "V11-HMAC-SHA256 Credential=" AK "/" : "SDK-HMAC-SHA256 Access=" AK);
    add_cstr(authorization, m->scope ? m->scope : "");
    add_cstr(authorization, ", SignedHeaders=");
    add_cstr(authorization, m->signed_headers);
    add_cstr(authorization, ", Signature=");
    add_hash(authorization, hash);
}

/* --- Requests --------------------------------------------------------------------------------- */

#define DATE "20261124T065224Z"
#define NOW_MS 1795503144000
#define BODY_HASH "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

static struct word random_word(struct rng *rng, size_t shortest)
{
    struct word w = {.len = shortest + rng_below(rng, sizeof(w.bytes) - shortest)};

    for (size_t i = 0; i < w.len; i++)
        w.bytes[i] = rng_below(rng, 3) ? (unsigned char)"abcdefgXYZ019-._~"[rng_below(rng, 17)]
                                       : (unsigned char)(1 + rng_below(rng, 255));
    return w;
}

static struct message random_message(struct rng *rng)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "PATCH"};
    static const char *const headers[] = {"x-sdk-date", "host;x-sdk-date",
        "content-type;host;user-agent;x-project-id;x-sdk-date", "x-sdk-date;x-absent;host"};
    struct message m = {.method = methods[rng_below(rng, 5)],
        .signed_headers = headers[rng_below(rng, 4)],
        .date = DATE,
        .scope = rng_below(rng, 2) ? "20261124/cn-north-4/hss" : NULL,
        .segment_count = 1 + rng_below(rng, SEGMENTS_MAX),
        .param_count = rng_below(rng, PARAMS_MAX + 1)};

    for (size_t i = 0; i < m.segment_count; i++)
        m.segments[i] = random_word(rng, 0);
    for (size_t i = 0; i < m.param_count; i++) {
        m.names[i] = rng_below(rng, 4) || !i ? random_word(rng, 1) : m.names[i - 1];
        m.values[i] = random_word(rng, 0);
    }
    sha256(rng_below(rng, 2) ? SLICE("{}") : SLICE_NONE, m.body_hash);
    if (rng_below(rng, 3) == 0) {
        m.payload_header = BODY_HASH;
        sha256(SLICE("{}"), m.body_hash);
    } else if (rng_below(rng, 3) == 0) {
        m.payload_header = "UNSIGNED-PAYLOAD";
    }
    return m;
}

/* As some client may send it: what must be escaped is, and some of the rest. */
static void send_word(struct rng *rng, struct text *t, const struct word *w)
{
    for (size_t i = 0; i < w->len; i++) {
        bool plain = isalnum(w->bytes[i]) || strchr("-._~:@!$'()*,;", w->bytes[i]);
        char c[4];

        if (plain && rng_below(rng, 8))
            snprintf(c, sizeof(c), "%c", w->bytes[i]);
        else
            snprintf(c, sizeof(c), rng_below(rng, 2) ? "%%%02X" : "%%%02x", w->bytes[i]);
        add_cstr(t, c);
    }
}

static void send_target(struct rng *rng, struct text *t, const struct message *m)
{
    size_t first = m->param_count ? rng_below(rng, m->param_count) : 0;

    for (size_t i = 0; i < m->segment_count; i++) {
        add_cstr(t, "/");
        send_word(rng, t, &m->segments[i]);
    }
    for (size_t i = 0; i < m->param_count; i++) {
        size_t at = (first + i) % m->param_count;

        add_cstr(t, i ? "&" : "?");
        send_word(rng, t, &m->names[at]);
        if (m->values[at].len || rng_below(rng, 2))
            add_cstr(t, "=");
        send_word(rng, t, &m->values[at]);
    }
}

static const struct fake_header usual_headers[] = {
    {SLICE_INIT("x-sdk-date"), SLICE_INIT(DATE)},
    {SLICE_INIT("host"), SLICE_INIT("127.0.0.1:8080")},
    {SLICE_INIT("content-type"), SLICE_INIT("application/json")},
    {SLICE_INIT("user-agent"), SLICE_INIT("  huaweicloud-usdk-go/3.0;  two blanks \t")},
    {SLICE_INIT("x-project-id"), SLICE_INIT("77b6a44cba5143ab91d13ab9a8ff44fd")},
    {SLICE_INIT("accept"), SLICE_INIT("*/*")},
};
enum { USUAL_HEADERS = sizeof(usual_headers) / sizeof(*usual_headers) };

/* A message as signed and as sent. `text` holds what the request's slices point to. */
struct sent {
    struct message message;
    struct fake_request request;
    struct text target, authorization;
};

static void make(struct rng *rng, struct sent *s)
{
    memset(s, 0, sizeof(*s));
    s->message = random_message(rng);
    memcpy(s->request.headers, usual_headers, sizeof(usual_headers));
    if (s->message.payload_header)
        s->request.headers[USUAL_HEADERS] = (struct fake_header){
            SLICE("x-sdk-content-sha256"), slice_of(s->message.payload_header)};
    send_target(rng, &s->target, &s->message);
    sign(&s->message, &s->request, &s->authorization);
    s->request.method = slice_of(s->message.method);
    s->request.target = as_slice(&s->target);
    s->request.authorization = as_slice(&s->authorization);
    s->request.body_sha256 = s->message.body_hash;
}

static bool is_good(struct fake_request *request)
{
    struct judgement j = judge(request, SLICE(SK), NOW_MS);
    bool good = j.verdict == SIGNATURE_GOOD && slice_is(j.signature.access_key, AK);

    judgement_release(&j);
    return good;
}

/* --- Changes ---------------------------------------------------------------------------------- */

static bool in_escape(struct slice s, size_t at)
{
    return (at >= 1 && s.ptr[at - 1] == '%') || (at >= 2 && s.ptr[at - 2] == '%');
}

/* Two spellings of one target: the case of an escape's digits, "k=" as "k&", and "/p/" as "/p?"
 * (the canonical path of both ends in a slash). */
static bool is_same_target(struct slice s, size_t at, char to)
{
    return (in_escape(s, at) && tolower(s.ptr[at]) == tolower(to)) ||
           (s.ptr[at] == '=' && to == '&') || (s.ptr[at] == '/' && to == '?' && at + 1 == s.len);
}

/* Another byte in place of the one at `at`: any, or a near one. */
static char other_byte(struct rng *rng, char from)
{
    static const char near[] = "/?&=%;,. 0aA";
    char to;

    do
        to = rng_below(rng, 2) ? near[rng_below(rng, sizeof(near) - 1)]
                               : (char)(1 + rng_below(rng, 255));
    while (to == from);
    return to;
}

/* Changes one byte of *part, which is one of the request's slices, asks, and changes it back. */
static void assert_notices(
    struct rng *rng, struct fake_request *request, struct slice *part, const char *what)
{
    struct slice before = *part;
    char copy[TEXT_BYTES];
    size_t at;

    if (!before.len)
        return;
    at = rng_below(rng, before.len);
    memcpy(copy, before.ptr, before.len);
    copy[at] = other_byte(rng, copy[at]);
    if (part == &request->target && is_same_target(before, at, copy[at]))
        return;
    part->ptr = copy;
    if (is_good(request))
        fail_msg("%s: \"%.*s\" passes for \"%.*s\"", what, SLICE_FMT(*part), SLICE_FMT(before));
    *part = before;
}

static bool is_covered(const struct message *m, struct slice name)
{
    struct slice rest = slice_of(m->signed_headers);

    while (rest.len)
        if (slice_eq(slice_pull_until(&rest, ';'), name))
            return true;
    return slice_is(name, "x-sdk-content-sha256");
}

static void signed_is_accepted(void **state)
{
    struct rng rng = {1};
    struct sent s;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        make(&rng, &s);
        if (!is_good(&s.request))
            fail_msg("round %d: %.*s %.*s is refused", round, SLICE_FMT(s.request.target),
                SLICE_FMT(s.request.authorization));
    }
}

/* The blanks between the parameters of the Authorization header are nobody's. */
static bool is_loose_blank(struct slice before, struct slice after)
{
    for (size_t i = 0; i < before.len; i++)
        if (before.ptr[i] != after.ptr[i])
            return before.ptr[i] == ' ' && strchr("\t\n\v\f\r", after.ptr[i]) != NULL && i > 16;
    return false;
}

static void assert_authorization_counts(struct rng *rng, struct sent *s)
{
    struct slice before = s->request.authorization, changed;
    char copy[TEXT_BYTES];
    size_t at = rng_below(rng, before.len);

    memcpy(copy, before.ptr, before.len);
    copy[at] = other_byte(rng, copy[at]);
    changed = (struct slice){copy, before.len};
    s->request.authorization = changed;
    if (is_good(&s->request) && !is_loose_blank(before, changed))
        fail_msg("\"%.*s\" passes for \"%.*s\"", SLICE_FMT(changed), SLICE_FMT(before));
    s->request.authorization = before;
}

static void changed_is_refused(void **state)
{
    struct rng rng = {2};
    struct sent s;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        make(&rng, &s);
        for (int change = 0; change < CHANGES; change++) {
            assert_notices(&rng, &s.request, &s.request.method, "method");
            assert_notices(&rng, &s.request, &s.request.target, "target");
            assert_authorization_counts(&rng, &s);
        }
        for (size_t i = 0; i < FAKE_HEADERS_MAX && s.request.headers[i].name.len; i++) {
            struct slice *value = &s.request.headers[i].value, before = *value;

            if (!is_covered(&s.message, s.request.headers[i].name))
                continue;
            *value = slice_trim(before);
            assert_notices(&rng, &s.request, value, "header");
            *value = SLICE_NONE; /* which changes nothing where it says what the body is anyway */
            if (!slice_is(before, BODY_HASH))
                assert_false(is_good(&s.request));
            *value = before;
        }
        assert_true(is_good(&s.request));
    }
}

static void unsigned_headers_are_free(void **state)
{
    struct rng rng = {3};
    struct sent s;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        make(&rng, &s);
        for (size_t i = 0; i < USUAL_HEADERS; i++)
            if (!is_covered(&s.message, s.request.headers[i].name))
                s.request.headers[i].value = SLICE("anything else");
        assert_true(is_good(&s.request));
    }
}

static void bodies_count_unless_unsigned(void **state)
{
    struct rng rng = {4};
    struct sent s;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        bool covered;

        make(&rng, &s);
        covered =
            !s.message.payload_header || strcmp(s.message.payload_header, "UNSIGNED-PAYLOAD") != 0;
        s.message.body_hash[rng_below(&rng, SHA256_BYTES)] ^=
            (unsigned char)(1u << rng_below(&rng, 8));
        assert_int_equal(is_good(&s.request), !covered);
    }
}

/* Every bit of the signature. */
static void signatures_count_whole(void **state)
{
    static const char digits[] = "0123456789abcdef";
    struct rng rng = {5};
    struct sent s;

    (void)state;
    make(&rng, &s);
    for (size_t i = s.authorization.len - 64; i < s.authorization.len; i++) {
        char right = s.authorization.bytes[i];

        for (size_t d = 0; d < 16; d++) {
            s.authorization.bytes[i] = digits[d];
            assert_int_equal(is_good(&s.request), digits[d] == right);
        }
        s.authorization.bytes[i] = right;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signed_is_accepted),
        cmocka_unit_test(changed_is_refused),
        cmocka_unit_test(unsigned_headers_are_free),
        cmocka_unit_test(bodies_count_unless_unsigned),
        cmocka_unit_test(signatures_count_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
