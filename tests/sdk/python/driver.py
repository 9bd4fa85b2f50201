# SPDX-License-Identifier: Apache-2.0
"""Carries out cases with the Python SDK: see tests/e2e/sdk_cases.py for cases and outcomes."""
import json
import sys

from huaweicloudsdkcore.auth.credentials import BasicCredentials, DerivedCredentials
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkcore.signer.algorithm import SigningAlgorithm
from huaweicloudsdkhss.v5 import (
    HandleImageVulnerabilityRequest, HandleImageVulnerabilityRequestBody,
    HandleImageVulnerabilityRequestBodyImageDataList, HandleImageVulnerabilityRequestBodyVulDataList,
    HssClient, ListGeneralImageVulOperationsRequest, ListHostStatusRequest,
    ListImageHandleAffectVulnerabilitiesRequest, ListVulAffectImagesRequest)

clients = {}  # by everything they are configured with


def client_for(case):
    key = json.dumps({**case, "call": "", "parameters": None})
    if key not in clients:
        clients[key] = make_client(case)
    return clients[key]


def make_client(case):
    credentials = BasicCredentials(case["ak"], case["sk"], case.get("project"))
    if case.get("iam"):
        credentials.with_iam_endpoint(case["iam"])
    if case.get("security_token"):
        credentials.with_security_token(case["security_token"])
    builder = HssClient.new_builder().with_credentials(credentials)
    if case.get("derived"):
        credentials.with_derived_predicate(DerivedCredentials.get_default_derived_predicate())
        builder._with_derived_auth_service_name("hss")
    if case.get("region"):
        builder.with_region(Region(case["region"], case["endpoint"]))
    else:
        builder.with_endpoint(case["endpoint"])
    if case.get("sm3"):
        config = HttpConfig.get_default_config()
        config.signing_algorithm = SigningAlgorithm.HMAC_SM3
        builder.with_http_config(config)
    return builder.build()


def row(model):
    """The fields that the model object has, each as it was decoded."""
    fields = {name: getattr(model, name) for name in model.attribute_map}
    return {name: value for name, value in fields.items() if value is not None}


def page(response):
    return {"total_num": response.total_num, "rows": [row(one) for one in response.data_list]}


def operation(parameters):
    """The parameters with their body as the SDK's model of it."""
    body = dict(parameters["body"])
    for name, model in (("vul_data_list", HandleImageVulnerabilityRequestBodyVulDataList),
                        ("image_data_list", HandleImageVulnerabilityRequestBodyImageDataList)):
        if name in body:
            body[name] = [model(**pair) for pair in body[name]]
    return {**parameters, "body": HandleImageVulnerabilityRequestBody(**body)}


def ask(client, call, parameters):
    if call == "hosts":
        client.list_host_status(ListHostStatusRequest())
        return {}
    if call == "handle":
        request = HandleImageVulnerabilityRequest(**operation(parameters))
        response = client.handle_image_vulnerability(request)
        return {"done": response.status_code, "fields": row(response)}
    if call == "preview":
        request = ListImageHandleAffectVulnerabilitiesRequest(**operation(parameters))
        response = client.list_image_handle_affect_vulnerabilities(request)
        totals = [response.total_vul_num, response.vul_num, response.image_num]
        return {"totals": totals, "rows": [row(one) for one in response.data_list]}
    if call == "history":
        request = ListGeneralImageVulOperationsRequest(**parameters)
        return page(client.list_general_image_vul_operations(request))
    return page(client.list_vul_affect_images(ListVulAffectImagesRequest(**parameters)))


def outcome(case):
    try:
        return ask(client_for(case), case["call"], case["parameters"])
    except exceptions.ServiceResponseException as e:
        return {"error": {"kind": type(e).__name__, "status": e.status_code, "code": e.error_code,
                          "message": e.error_msg, "request_id": e.request_id}}
    except exceptions.SdkException as e:
        return {"refused": str(e)}


for one in json.load(sys.stdin):
    print(json.dumps(outcome(one)))
