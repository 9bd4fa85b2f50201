/* SPDX-License-Identifier: Apache-2.0 */
/* See packing.h. A packer is 170 KiB: to get them from the system for each answer would take longer
 * than packing does. There are never more than answers being made at once. */
#include "http/packing.h"

#include <strings.h>

enum { WEIGHT_MAX = 1000, WEIGHT_NONE = -1 };

/* ---- Accept-Encoding ---- */

static bool is_text(struct slice s, const char *lower)
{
    return s.len == strlen(lower) && strncasecmp(s.ptr, lower, s.len) == 0;
}

/* "0", "0.5", "1.000": in thousandths; 0 for what is none. */
static int parse_weight(struct slice text)
{
    int weight = 0, unit = WEIGHT_MAX;

    if (text.len == 0 || text.len > 5 || (text.len > 1 && text.ptr[1] != '.'))
        return 0;
    for (size_t i = 0; i < text.len; i++) {
        if (i == 1)
            continue;
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return 0;
        weight += (text.ptr[i] - '0') * unit;
        unit /= 10;
    }
    return weight <= WEIGHT_MAX ? weight : 0;
}

/* Of an element's parameters: ";q=0.5". */
static int weight_of(struct slice parameters)
{
    while (parameters.len) {
        struct slice one = slice_trim(slice_pull_until(&parameters, ';'));

        if (one.len >= 2 && (one.ptr[0] == 'q' || one.ptr[0] == 'Q') && one.ptr[1] == '=')
            return parse_weight(slice_skip(one, 2));
    }
    return WEIGHT_MAX;
}

bool packing_is_wanted(struct slice accept_encoding)
{
    int gzip = WEIGHT_NONE, other = WEIGHT_NONE, identity = WEIGHT_NONE;

    while (accept_encoding.len) {
        struct slice parameters = slice_pull_until(&accept_encoding, ',');
        struct slice coding = slice_trim(slice_pull_until(&parameters, ';'));
        int weight = weight_of(parameters);

        if (is_text(coding, "gzip") || is_text(coding, "x-gzip"))
            gzip = weight;
        else if (is_text(coding, "*"))
            other = weight;
        else if (is_text(coding, "identity"))
            identity = weight;
    }
    if (gzip == WEIGHT_NONE)
        gzip = other;
    return gzip > 0 && gzip >= identity;
}

/* ---- Packers ---- */

void packers_init(struct packers *packers)
{
    *packers = (struct packers){0};
    pthread_mutex_init(&packers->lock, NULL);
}

void packers_release(struct packers *packers)
{
    while (packers->count)
        gzip_free(packers->kept[--packers->count]);
    pthread_mutex_destroy(&packers->lock);
}

struct gzip *packers_take(struct packers *packers)
{
    struct gzip *gzip = NULL;
    struct err ignored;

    pthread_mutex_lock(&packers->lock);
    if (packers->count)
        gzip = packers->kept[--packers->count];
    pthread_mutex_unlock(&packers->lock);
    return gzip ? gzip : gzip_new(&ignored);
}

void packers_give(struct packers *packers, struct gzip *gzip)
{
    if (!gzip)
        return;
    gzip_reset(gzip); /* it may have been given up in the middle */
    pthread_mutex_lock(&packers->lock);
    if (packers->count < PACKERS_KEPT) {
        packers->kept[packers->count++] = gzip;
        gzip = NULL;
    }
    pthread_mutex_unlock(&packers->lock);
    gzip_free(gzip);
}
