# SPDX-License-Identifier: Apache-2.0
"""The sample programs of the vendor's API page print rows, with nothing changed in them but
credential, project and endpoint.

Their text is the vendor's and is not in this repository: it is taken from a copy of the page, at
CAREEN_API_PAGE, else beside the shared test data. The endpoint is given as the SDKs take it for a
region: in the environment.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import TEST_DATA
from sdk_world import JARS, REGION, SDK_PYTHON, SECONDS, SOURCES, compile_in, need, raw

PAGE = pathlib.Path(os.environ.get(
    "CAREEN_API_PAGE", TEST_DATA.parent / "contract" / "ListVulAffectImages.zh.txt"))
PROGRAMS = {
    "python": r"^# coding: utf-8$.*?print\(e\.error_msg\)$",
    "go": r"^package main$.*?^}$",
    "java": r"^package com\.huaweicloud\.sdk\.test;$.*?^}$",
}


@pytest.fixture(scope="module")
def page():
    if not PAGE.is_file():
        pytest.skip(f"no copy of the API page at {PAGE} (CAREEN_API_PAGE)")
    return PAGE.read_text(encoding="utf-8")


def sample(page, language):
    """The program, with project and region filled in."""
    need(language)
    text = re.search(PROGRAMS[language], page, re.MULTILINE | re.DOTALL)[0] + "\n"
    for blank, value in (("{project_id}", "default"), ("<YOUR REGION>", REGION)):
        assert text.count(blank) == 1
        text = text.replace(blank, value)
    return text


def printed(world, home, command):
    """What the program prints, run with this server as the region's endpoint of the service."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=SECONDS, check=False,
        env={**os.environ, "HOME": str(home), "CLOUD_SDK_AK": world.reader.ak,
             "CLOUD_SDK_SK": world.reader.sk,
             "HUAWEICLOUD_SDK_REGION_HSS_CN_NORTH_4": f"http://{world.server.address}"})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check(answer, expected):
    """The printed answer has the documented fields of the rows of the first page."""
    assert len(expected["data_list"]) == 10
    assert answer["total_num"] == expected["total_num"]
    assert len(answer["data_list"]) == 10
    for printed_row, row in zip(answer["data_list"], expected["data_list"]):
        assert printed_row.items() <= row.items() and len(printed_row) >= 13


def test_python(sdk_world, page, tmp_path):
    program = tmp_path / "sample.py"
    program.write_text(sample(page, "python"), encoding="utf-8")
    answer = json.loads(printed(sdk_world, tmp_path, [SDK_PYTHON, program]))
    check(answer, raw(sdk_world.server, sdk_world.token, {}).json)


def test_go(sdk_world, page, tmp_path):
    """It lacks an import for reading the environment: the credential is filled in as text."""
    text = sample(page, "go")
    for name, value in (("AK", sdk_world.reader.ak), ("SK", sdk_world.reader.sk)):
        text = text.replace(f'os.Getenv("CLOUD_SDK_{name}")', f'"{value}"')
    (tmp_path / "main.go").write_text(text, encoding="utf-8")
    for name in ("go.mod", "go.sum"):
        shutil.copy(SOURCES / "go" / name, tmp_path)
    compile_in(tmp_path, ["go", "build", "-o", tmp_path / "sample", "."])
    name, answer = printed(sdk_world, tmp_path, [tmp_path / "sample"]).split(" ", 1)
    assert name == "ListVulAffectImagesResponse"
    check(json.loads(answer), raw(sdk_world.server, sdk_world.token, {"is_handled": False}).json)


def test_java(sdk_world, page, tmp_path):
    """Its own client demands four parameters."""
    text = sample(page, "java")
    jar = next(JARS.glob("huaweicloud-sdk-hss-*.jar"))
    probe = ["javap", "-cp", jar, "com.huaweicloud.sdk.hss.v5.model.ListVulAffectImagesRequest"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.xfail(f"{jar.name} is older than the call, which came with 3.1.164")
    text = text.replace(
        "new ListVulAffectImagesRequest()",
        'new ListVulAffectImagesRequest().withIsHandled(false).withVulId("CVE-2024-1000")'
        '.withType("linux_vul").withImageType("registry")')
    program = tmp_path / "ListVulAffectImagesSolution.java"
    program.write_text(text, encoding="utf-8")
    compile_in(tmp_path, ["javac", "-d", tmp_path, "-cp", f"{JARS}/*", program])
    output = printed(sdk_world, tmp_path, ["java", "-cp", f"{tmp_path}:{JARS}/*",
                                           "com.huaweicloud.sdk.test.ListVulAffectImagesSolution"])
    expected = raw(sdk_world.server, sdk_world.token, {
        "vul_id": "CVE-2024-1000", "type": "linux_vul", "image_type": "registry"}).json
    assert f"totalNum: {expected['total_num']}" in output
    for row in expected["data_list"]:
        assert f"imageId: {row['image_id']}" in output
