// SPDX-License-Identifier: Apache-2.0

// Carries out cases with the Node SDK: see tests/e2e/sdk_cases.py for cases and outcomes. npm has
// no package of the HSS service, so the call goes through the SDK's core, as that package does it.
"use strict";

const fs = require("fs");
const { ClientBuilder } = require("@huaweicloud/huaweicloud-sdk-core/ClientBuilder");
const { BasicCredentials, GlobalCredentials, Region } =
    require("@huaweicloud/huaweicloud-sdk-core");
const { BaseCredentials } = require("@huaweicloud/huaweicloud-sdk-core/auth/BaseCredentials");
const { ServiceResponseException } =
    require("@huaweicloud/huaweicloud-sdk-core/exception/ServiceResponseException");
const { IamClient } = require("@huaweicloud/huaweicloud-sdk-iam/v3/public-api");

const URLS = {
    affected: "/v5/{project_id}/vulnerability/images",
    hosts: "/v5/{project_id}/host-management/hosts",
    handle: "/v5/{project_id}/image/vulnerability/handle",
    preview: "/v5/{project_id}/image/vulnerability/handle-affect-vulnerabilities",
    history: "/v5/{project_id}/image/vulnerability/handle-history",
};
const clients = new Map(); // by everything they are configured with

function makeClient(settings) {
    const credential = new BasicCredentials({
        ak: settings.ak, sk: settings.sk, projectId: settings.project, iamEndpoint: settings.iam,
        securityToken: settings.security_token,
    });
    const builder = new ClientBuilder((client) => client).withCredential(credential);
    if (settings.derived) {
        credential.derivedPredicate = (request) =>
            BaseCredentials.getDefaultDerivedPredicate(request);
        builder.withDerivedAuthServiceName("hss");
    }
    if (settings.region)
        builder.withRegion(new Region(settings.region, settings.endpoint));
    else
        builder.withEndpoint(settings.endpoint);
    return builder.build();
}

function clientFor(settings) {
    const key = JSON.stringify(settings);
    if (!clients.has(key))
        clients.set(key, makeClient(settings));
    return clients.get(key);
}

async function issueToken(settings, parameters) {
    const credential = new GlobalCredentials({ ak: settings.ak, sk: settings.sk, domainId: "any" });
    const client =
        IamClient.newBuilder().withCredential(credential).withEndpoint(settings.endpoint).build();
    const { httpStatusCode, ...token } = await client.keystoneCreateUserTokenByPassword(parameters);
    return { token };
}

async function ask({ call, parameters, ...settings }) {
    if (call === "token")
        return issueToken(settings, parameters);
    const { body, ...queryParams } = parameters;
    const response = await clientFor(settings).sendRequest({
        method: body ? "POST" : "GET", url: URLS[call], contentType: "application/json",
        queryParams, pathParams: {}, headers: {}, data: body || {},
    });
    if (call === "handle") {
        const { httpStatusCode, ...fields } = response;
        return { done: httpStatusCode, fields };
    }
    if (call === "preview")
        return {
            totals: [response.total_vul_num, response.vul_num, response.image_num],
            rows: response.data_list,
        };
    return { total_num: response.total_num, rows: response.data_list };
}

async function outcome(one) {
    try {
        return await ask(one);
    } catch (e) {
        if (e instanceof ServiceResponseException && e.httpStatusCode)
            return { error: {
                kind: e.constructor.name, status: e.httpStatusCode, code: e.errorCode,
                message: e.errorMsg, request_id: e.requestId,
            } };
        return { refused: String(e.message || e.errorMsg) };
    }
}

async function main() {
    // The SDK logs failures to the standard output, where only outcomes may be.
    const print = process.stdout.write.bind(process.stdout);
    process.stdout.write = process.stderr.write.bind(process.stderr);
    for (const one of JSON.parse(fs.readFileSync(0, "utf8")))
        print(JSON.stringify(await outcome(one)) + "\n");
}

main();
