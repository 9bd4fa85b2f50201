# SPDX-License-Identifier: Apache-2.0
"""Random requests signed by the Python SDK's own code, a JSON object a line on standard output.

    build/sdk-venv/bin/python tests/e2e/sdk_signing.py COUNT SEED

Run by test_signature_sdk.py in the interpreter that has the SDK. Each line is what
tests/tools/signature_check.c reads, and "algorithm".
"""
import datetime
import json
import random
import string
import sys
import urllib.parse

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.algorithm import SigningAlgorithm

METHODS = ["GET", "GET", "GET", "POST", "PUT", "PATCH", "DELETE"]
PLAIN = string.ascii_letters + string.digits + "-._~"
ODD = " !\"#$%&'()*+,/:;<=>?@[\\]^`{|}\n\t\x7f\u00e9\u00df\u4e2d\u6587\u20ac\U0001f433"
PARAMETERS = ["vul_id", "image_name", "type", "image_type", "limit", "offset", "q", "a", "A", "a-b",
              "中", "x y", "%41"]
OTHER_ALGORITHMS = [SigningAlgorithm.ECDSA_P256_SHA256, SigningAlgorithm.HMAC_SM3,
                    SigningAlgorithm.SM2_SM3]


def text(rng, longest, odd=ODD):
    return "".join(rng.choice(PLAIN if rng.random() < 0.7 else odd)
                   for _ in range(rng.randint(0, longest)))


def value(rng):
    """What a model of the SDK may hold: strings, numbers, booleans, lists of strings."""
    return rng.choice([text(rng, 40), text(rng, 8), "", rng.randint(-5, 2_000_000),
                       rng.random() < 0.5, [text(rng, 5) for _ in range(rng.randint(1, 3))]])


def path(rng):
    # As the SDK's client fills a path in: values quoted. Not with "/" in a value: the SDK signs
    # "%2F" as "/", but the contract's rule goes segment by segment.
    segments = [urllib.parse.quote(text(rng, 12, ODD.replace("/", "")), safe="")
                for _ in range(rng.randint(0, 5))]
    return rng.choice(["/", "/", "/", "//"]) + "/".join(segments)


def request(rng, algorithm):
    at = datetime.datetime(2026, 1, 1) + datetime.timedelta(seconds=rng.randrange(10**9))
    headers = {"X-Sdk-Date": at.strftime("%Y%m%dT%H%M%SZ")}
    if rng.random() < 0.8:
        headers["Content-Type"] = rng.choice(["application/json", "application/json;charset=UTF-8"])
    if rng.random() < 0.8:
        headers["User-Agent"] = "huaweicloud-usdk-python/3.0; " + text(rng, 20, " ;/()")
    if rng.random() < 0.2:
        headers["X-" + text(rng, 10, "_").replace(".", "").replace("~", "")] = \
            text(rng, 30, " ,;:|=\t\"")
    method = rng.choice(METHODS)
    body = None
    if method != "GET" and rng.random() < 0.7:
        body = json.dumps({"k": text(rng, 200)}, ensure_ascii=False)
        if rng.random() < 0.2:  # the SDK then sends X-Sdk-Content-Sha256: UNSIGNED-PAYLOAD
            headers["Content-Type"] = "application/octet-stream"
    names = rng.sample(PARAMETERS, rng.randint(0, 7))
    return at, SdkRequest(
        method=method, schema="http", host=rng.choice(["127.0.0.1:8080", "careen.example", "[::1]:9"]),
        resource_path=path(rng), query_params=[(name, value(rng)) for name in names],
        header_params=headers, body=body, signing_algorithm=algorithm)


def line(rng, number):
    ak = "".join(rng.choices(string.ascii_uppercase + string.digits, k=20))
    sk = "".join(rng.choices(string.ascii_letters + string.digits, k=40))
    kind = "derived" if number % 2 else "plain"
    credentials = BasicCredentials(ak, sk, rng.choice(["default", "77b6a44cba5143ab91d13ab9a8ff44fd"]))
    algorithm = SigningAlgorithm.HMAC_SHA256
    if number % 100 == 98:
        algorithm = OTHER_ALGORITHMS[number // 100 % len(OTHER_ALGORITHMS)]
        kind = "other"
    if kind == "derived":
        credentials.with_derived_predicate(lambda _: True)
        credentials._process_derived_auth_params("hss", rng.choice(["cn-north-4", "eu-west-101"]))
    if rng.random() < 0.1:
        credentials.security_token = text(rng, 100, "+/=")
    at, unsigned = request(rng, algorithm)
    signed = credentials.sign_request(unsigned)
    headers = dict(signed.header_params)
    authorization = headers.pop("Authorization")
    seconds = int(at.replace(tzinfo=datetime.timezone.utc).timestamp())
    return {
        "algorithm": kind, "authorization": authorization, "method": signed.method,
        "target": signed.uri, "secret_key": sk,
        # As requests puts them on the wire: the SDK keeps header values as Latin-1 of their bytes.
        "headers": {name: content.encode("latin-1").decode() for name, content in headers.items()},
        "now_ms": (seconds + rng.randint(-900, 900)) * 1000,
        "body": (signed.body or b"").decode(),
    }


def main():
    count, seed = map(int, sys.argv[1:])
    rng = random.Random(seed)
    for number in range(count):
        print(json.dumps(line(rng, number)))


if __name__ == "__main__":
    main()
