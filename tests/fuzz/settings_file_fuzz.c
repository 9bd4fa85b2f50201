// room: cli
/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file: no bytes may do worse than an error that names the file, and what is
 * read as a value is written in a way that reads back as the same. */
#include "base/bug.h"
#include "cli/settings.h"
#include "cli/settings_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *ctx, const char *name, const char *value, unsigned line, struct err *err)
{
    unsigned *last = ctx;

    BUG_ON(line <= *last);
    *last = line;
    for (size_t id = 0; id < SETTING_COUNT; id++) {
        const struct setting *setting = &settings_table[id];
        struct setting_value read = {0}, again = {0};
        char text[SETTING_TEXT_BYTES];

        if (strcmp(setting->name, name) != 0 && *name != '*')
            continue;
        if (setting_parse(setting, name, slice_of(value), &read, err) < 0)
            continue;
        setting_print(setting, &read, text);
        BUG_ON(setting_parse(setting, name, slice_of(text), &again, err) < 0);
        BUG_ON(read.number != again.number);
        free(read.text);
        free(again.text);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t nothing[1];
    FILE *file = fmemopen(size ? (void *)(uintptr_t)data : nothing, size ? size : 1, "r");
    struct err err = {0};
    unsigned last = 0;
    int failed;

    if (!file)
        return 0;
    failed = settings_file_parse(file, "file", take, &last, &err);
    BUG_ON(failed && strncmp(err.message, "file", 4) != 0);
    fclose(file);
    return 0;
}
