// room: codec
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes events to the log as standard input says: for each, a line of words divided by blanks:
 * the format (logfmt or json), the message, then KEY and a value, each text in hexadecimal behind
 * an 'x', each number as it is:
 *
 *     json x6d7367 status 200 path x2f61
 */
#include "base/log.h"
#include "codec/hash.h"

#include <stdlib.h>

/* In place, with a NUL behind it. */
static struct slice unhex(char *word)
{
    size_t len = strlen(word + 1) / 2;

    if (!hex_decode(slice_of(word + 1), (unsigned char *)word, len))
        exit(1);
    word[len] = '\0';
    return (struct slice){word, len};
}

static void emit(char *line)
{
    struct log_field fields[LOG_FIELDS_MAX];
    char *format = strsep(&line, " "), *event = strsep(&line, " "), *key, *value;
    size_t count = 0;
    int64_t number;

    while ((key = strsep(&line, " ")) && (value = strsep(&line, " "))) {
        if (slice_to_i64(slice_of(value), &number))
            fields[count++] = LOG_NUMBER(key, number);
        else
            fields[count++] = LOG_TEXT(key, unhex(value));
    }
    log_set_format(strcmp(format, "json") == 0 ? LOG_JSON : LOG_LOGFMT);
    log_event(LOG_INFO, unhex(event).ptr, fields, count);
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;

    while ((len = getline(&line, &cap, stdin)) > 0) {
        line[len - 1] = '\0';
        emit(line);
    }
    free(line);
    return 0;
}
