/* SPDX-License-Identifier: Apache-2.0 */
/* See rate.h. What is answered is the contract's (section 8.3): 429 with the policy, its limit and
 * Retry-After. */
#include "api/rate.h"

#include "api/metrics.h"
#include "base/clock.h"

/* The call's failure, with when to try again. */
static struct refusal too_often(
    struct call *call, enum rate_policy policy, unsigned limit, unsigned wait_s)
{
    struct buf text = BUF_INIT(256);
    struct refusal refusal = {&failure_throttled, ""};
    struct slice kept;
    struct err err = {0};

    metrics_count_throttled(call->service->metrics, policy);
    snprintf(call->response->retry_after, sizeof(call->response->retry_after), "%u", wait_s);
    buf_printf(
        &text, "policy %s over ratelimit,limit:%u,time:1 minute", rate_policy_names[policy], limit);
    if (arena_dup(&call->request->arena, buf_slice(&text), &kept, &err) == 0)
        refusal.detail = kept.ptr;
    buf_release(&text);
    return refusal;
}

struct refusal rate_caller(struct call *call)
{
    const struct principal *who = &call->principal;
    unsigned limit = service_options(call->service)->rate_limit_per_user, wait_s = 0;
    const uint32_t key[2] = {who->user, who->user ? 0 : who->token};

    if (limit == 0 || (who->user == 0 && who->token == 0))
        return (struct refusal){NULL, ""};
    if (throttle_take(call->service->callers, (struct slice){(const char *)key, sizeof(key)}, limit,
            clock_monotonic_us(), &wait_s))
        return (struct refusal){NULL, ""};
    return too_often(call, RATE_CALLER, limit, wait_s);
}

/* An address that guesses is to make a new connection for each guess. */
static struct refusal address_too_often(struct call *call, unsigned limit, unsigned wait_s)
{
    call->response->header = "Connection";
    call->response->header_value = "close";
    return too_often(call, RATE_ADDRESS, limit, wait_s);
}

/* May this address be refused once more? How says whether that is counted. */
static bool ask_address(struct call *call, unsigned limit, unsigned *ret_wait_s,
    bool (*how)(struct throttle *, struct slice, unsigned, int64_t, unsigned *))
{
    char network[THROTTLE_NETWORK_BYTES];

    return how(call->service->addresses, throttle_network(call->request->client, network), limit,
        clock_monotonic_us(), ret_wait_s);
}

static unsigned address_limit(const struct call *call)
{
    return service_options(call->service)->refusals_per_address;
}

struct refusal rate_login(struct call *call)
{
    unsigned limit = address_limit(call), wait_s = 0;

    if (ask_address(call, limit, &wait_s, throttle_look))
        return (struct refusal){NULL, ""};
    return address_too_often(call, limit, wait_s);
}

void rate_login_put_off(struct call *call)
{
    unsigned wait_s;

    (void)ask_address(call, address_limit(call), &wait_s, throttle_take);
}

struct refusal rate_refused(struct call *call, struct refusal refusal)
{
    unsigned limit = address_limit(call), wait_s = 0;

    metrics_count_refused(call->service->metrics, call->credential);
    if (ask_address(call, limit, &wait_s, throttle_take))
        return refusal;
    return address_too_often(call, limit, wait_s);
}
