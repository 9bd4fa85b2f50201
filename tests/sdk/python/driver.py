# SPDX-License-Identifier: Apache-2.0
"""Carries out cases with the Python SDK: see tests/e2e/sdk_cases.py for cases and outcomes."""
import json
import sys

from huaweicloudsdkcore.auth.credentials import BasicCredentials, DerivedCredentials
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkcore.signer.algorithm import SigningAlgorithm
from huaweicloudsdkhss.v5 import HssClient, ListHostStatusRequest, ListVulAffectImagesRequest

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


def outcome(case):
    try:
        client = client_for(case)
        if case["call"] == "hosts":
            client.list_host_status(ListHostStatusRequest())
            return {}
        request = ListVulAffectImagesRequest(**case["parameters"])
        response = client.list_vul_affect_images(request)
        return {"total_num": response.total_num, "rows": [row(one) for one in response.data_list]}
    except exceptions.ServiceResponseException as e:
        return {"error": {"kind": type(e).__name__, "status": e.status_code, "code": e.error_code,
                          "message": e.error_msg, "request_id": e.request_id}}
    except exceptions.SdkException as e:
        return {"refused": str(e)}


for one in json.load(sys.stdin):
    print(json.dumps(outcome(one)))
