/* SPDX-License-Identifier: Apache-2.0 */
/* Accept-Encoding after RFC 9110, section 12.5.3, and packers that are used again. */
#include "unit.h"

#include "http/packing.h"

static void accept_encoding(void **state)
{
    static const struct {
        const char *value;
        bool wanted;
    } cases[] = {
        {"", false},
        {"gzip", true},
        {"GZip", true},
        {"x-gzip", true},
        {"gzip, deflate, br, zstd", true}, /* browsers */
        {"gzip, deflate", true},           /* Python's requests */
        {"deflate, br", false},
        {"identity", false},
        {"*", true},
        {"*;q=0", false},
        {"*;q=0.1", true},
        {"gzip;q=0", false},
        {"gzip;q=0.000", false},
        {"gzip;q=0.001", true},
        {"gzip;q=1.000", true},
        {"gzip;q=0, *", false},
        {"*, gzip;q=0", false},
        {"*;q=0, gzip", true},
        {"identity, gzip", true},
        {"identity;q=1, gzip;q=0.5", false},
        {"identity;q=0.5, gzip;q=1.0", true},
        {"identity;q=0", false},
        {"identity;q=0, *", true},
        {"gzip;q=0.5, identity;q=0.5", true},
        {" gzip ; q=0.5 ", true},
        {"gzip\t;\tQ=0.5", true},
        {",,gzip,,", true},
        {"compress;q=0.5, gzip;q=1.0", true},
        {"gzip;level=9;q=0", false},
        {"gzipped", false},
        {"gzi", false},
        /* Weights that are none. */
        {"gzip;q=", false},
        {"gzip;q=2", false},
        {"gzip;q=1.001", false},
        {"gzip;q=-1", false},
        {"gzip;q=0.5x", false},
        {"gzip;q=1.0000", false},
        {"gzip;q=.5", false},
        {"gzip;q=0,5", false},
        {";;;", false},
        {";q=1", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (packing_is_wanted(slice_of(cases[i].value)) != cases[i].wanted)
            fail_msg("\"%s\" is not understood", cases[i].value);
}

static void packers_come_back(void **state)
{
    struct gzip *taken[PACKERS_KEPT + 3];
    struct packers packers;

    (void)state;
    packers_init(&packers);
    for (size_t i = 0; i < PACKERS_KEPT + 3; i++) {
        taken[i] = packers_take(&packers);
        assert_non_null(taken[i]);
    }
    for (size_t i = 0; i < PACKERS_KEPT + 3; i++)
        packers_give(&packers, taken[i]);
    packers_give(&packers, NULL);
    assert_int_equal(packers.count, PACKERS_KEPT);
    assert_ptr_equal(packers_take(&packers), taken[PACKERS_KEPT - 1]);
    packers_give(&packers, taken[PACKERS_KEPT - 1]);
    packers_release(&packers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_encoding),
        cmocka_unit_test(packers_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
