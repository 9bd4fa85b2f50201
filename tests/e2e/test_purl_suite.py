# SPDX-License-Identifier: Apache-2.0
"""The official package-url suite, whole, through purl_tool.

Its "required" group is asked for strictly. The "recommended" one asks for input that is not valid to
be normalised all the same (qualifier keys in upper case): that is the lenient way of reading.
"""
import json
import subprocess

import pytest

from conftest import BUILD_DIR

ARCHIVE = "purl-spec.tar.zst"
MIN_TESTS = 580  # as many as there are, or the search went wrong


@pytest.fixture(scope="module")
def suite(shared_data, tmp_path_factory):
    """[(file, test)]"""
    archive = shared_data / ARCHIVE
    if not archive.is_file():
        pytest.skip(f"no {archive}")
    folder = tmp_path_factory.mktemp("purl")
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", folder], check=True)
    return [(path.name, test) for path in sorted(folder.rglob("*-test.json"))
            for test in json.loads(path.read_text())["tests"]]


def task_of(test):
    task = {"do": test["test_type"], "strict": test["test_group"] == "required"}
    if test["test_type"] == "build":
        return {**task, **test["input"]}
    return {**task, "purl": test["input"]}


def ask(tasks):
    tool = BUILD_DIR / "purl_tool"
    if not tool.is_file():
        pytest.skip(f"{tool} is not built (CAREEN_TESTS)")
    result = subprocess.run(
        [tool], input="".join(json.dumps(task) + "\n" for task in tasks), capture_output=True,
        text=True, timeout=60, check=True)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(answers) == len(tasks)
    return answers


def expected(test):
    if test["test_type"] == "parse":
        parts = test["expected_output"]
        return {**parts, "qualifiers": parts["qualifiers"] or {}}
    return {"purl": test["expected_output"]}


def test_suite(suite):
    assert len(suite) >= MIN_TESTS
    wrong = []
    for (file, test), answer in zip(suite, ask([task_of(test) for _, test in suite])):
        good = "error" in answer if test["expected_failure"] else answer == expected(test)
        if not good:
            wrong.append(f"{file}: {test['test_group']} {test['test_type']} "
                         f"{json.dumps(test['input'])}: {answer}, not {test['expected_output']}")
    assert not wrong, "\n".join(wrong)


def test_everything_that_is_valid_is_read_leniently_too(suite):
    """Lenient reading takes all that strict reading takes, and makes the same of it."""
    tests = [test for _, test in suite
             if test["test_type"] == "parse" and not test["expected_failure"]]
    answers = ask([{"do": "parse", "strict": False, "purl": test["input"]} for test in tests])
    assert [expected(test) for test in tests] == answers
