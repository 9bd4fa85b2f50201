# SPDX-License-Identifier: Apache-2.0
"""Signatures made by the Python SDK's own signer, judged by tests/tools/signature_check.c.

The SDK is installed in build/sdk-venv by `scripts/install-dependencies ci`; without it the tests
are skipped.
"""
import json
import pathlib
import random
import subprocess

import pytest

from conftest import BUILD_DIR, ROOT

COUNT, SEED = 2000, 20261124
SIGNER = pathlib.Path(__file__).with_name("sdk_signing.py")
SDK_PYTHON = ROOT / "build" / "sdk-venv" / "bin" / "python"


@pytest.fixture(scope="module")
def signed():
    """COUNT signed requests."""
    found = SDK_PYTHON.exists() and subprocess.run(
        [SDK_PYTHON, "-c", "import huaweicloudsdkcore"], capture_output=True, check=False)
    if not found or found.returncode:
        pytest.skip("no huaweicloudsdkcore in build/sdk-venv: scripts/install-dependencies ci")
    done = subprocess.run([SDK_PYTHON, SIGNER, str(COUNT), str(SEED)], capture_output=True,
                          text=True, timeout=120, check=True)
    requests = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(requests) == COUNT
    return requests


def verdicts(requests):
    """(verdict, why) of each."""
    program = BUILD_DIR / "signature_check"
    if not program.exists():
        pytest.skip(f"{program} is not built (make test builds it)")
    wanted = ["authorization", "method", "target", "headers", "secret_key", "now_ms", "body"]
    lines = "".join(json.dumps({key: r[key] for key in wanted}) + "\n" for r in requests)
    done = subprocess.run([program], input=lines.encode(), capture_output=True, timeout=120,
                          check=False)
    assert done.returncode == 0, done.stderr.decode()
    answers = [line.split(" ", 1) for line in done.stdout.decode().split("\n")[:-1]]
    assert len(answers) == len(requests)
    return answers


def test_what_the_sdk_signs_is_accepted(signed):
    kinds = {kind: [r for r in signed if r["algorithm"] == kind]
             for kind in ("plain", "derived", "other")}
    assert len(kinds["plain"]) > COUNT * 0.45 and len(kinds["derived"]) == COUNT // 2
    wrong = [(request, why)
             for request, (verdict, why) in zip(signed, verdicts(signed))
             if verdict != ("unsupported" if request["algorithm"] == "other" else "good")]
    assert not wrong, f"{len(wrong)} of {COUNT}, the first: {wrong[0]}"


def test_with_anything_changed_it_is_refused(signed):
    """The same requests; each with one thing changed that its owner signed."""
    rng = random.Random(SEED)
    signed = [r for r in signed if r["algorithm"] != "other"]

    def with_header(request, name, value):
        return {**request, "headers": {**request["headers"], name: value}}

    def signed_names(request):
        return [name for name in request["headers"] if "_" not in name and name != "X-Sdk-Date"]

    def other_header(request):
        name = rng.choice(signed_names(request))
        return with_header(request, name, request["headers"][name] + "x")

    def other_second(request):
        date = request["headers"]["X-Sdk-Date"]
        return with_header(request, "X-Sdk-Date", f"{date[:-2]}{(int(date[-2]) + 1) % 10}Z")

    changes = {
        "method": lambda r: {**r, "method": "PUT" if r["method"] != "PUT" else "GET"},
        "path": lambda r: {**r, "target": r["target"].replace("/", "/x", 1)},
        "parameter": lambda r: {**r, "target": r["target"] + ("&z" if "?" in r["target"] else "?z")},
        "key": lambda r: {**r, "secret_key": r["secret_key"] + "x"},
        "header": other_header,
        "date": other_second,
    }
    for what, change in changes.items():
        for request, (verdict, _) in zip(signed, verdicts(list(map(change, signed)))):
            assert verdict in ("wrong", "expired"), (what, verdict, request)
    changed = [{**r, "body": r["body"] + " "} for r in signed
               if r["headers"].get("X-Sdk-Content-Sha256") != "UNSIGNED-PAYLOAD"]
    assert {verdict for verdict, _ in verdicts(changed)} == {"wrong"}


def test_stale_requests_expire(signed):
    signed = [r for r in signed if r["algorithm"] != "other"]
    stale = [{**r, "now_ms": r["now_ms"] + 31 * 60 * 1000} for r in signed]
    assert {verdict for verdict, _ in verdicts(stale)} == {"expired"}
