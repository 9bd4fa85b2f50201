/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vulnerabilities of a CycloneDX document (from 1.4). They may stand before the components that
 * they affect, so what they say is kept until the end. Internal to the CycloneDX reader.
 */
#ifndef CAREEN_SBOM_CYCLONEDX_VULNS_H
#define CAREEN_SBOM_CYCLONEDX_VULNS_H

#include "sbom/format.h"

struct pending_vuln {
    uint32_t record;
    enum severity severity;
    struct slice fixed_version;  /* our own property: for all packages affected */
    struct slice recommendation; /* Trivy's: "Upgrade NAME to version VERSION; ..." */
};

struct pending_claim {
    uint64_t ref; /* hash of the component's bom-ref */
    uint32_t vuln;
};

struct cyclonedx_vulns {
    struct pending_vuln *vulns;   /* heap */
    struct pending_claim *claims; /* heap */
    size_t vuln_count, vuln_cap, claim_count, claim_cap;
    bool lost;            /* a vulnerability that affects something nobody can tell */
    struct names related; /* of the one being read; these are kept for their memory */
    uint64_t *refs;
    size_t ref_count, ref_cap;
};

void cyclonedx_vulns_release(struct cyclonedx_vulns *vulns);
/* The array `vulnerabilities`. */
void cyclonedx_read_vulns(struct reading *in, struct cyclonedx_vulns *vulns);
/* The fixed version that a pending vulnerability tells for a package; empty when none. */
struct slice cyclonedx_fixed_version(const struct pending_vuln *vuln, struct slice package_name);

#endif
