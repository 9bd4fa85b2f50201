# SPDX-License-Identifier: Apache-2.0
"""What tests ask the command line for, as Python values. `run` is the fixture of that name."""
import json

ALL = ("--enterprise-project", "all_granted_eps")


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


def rows(run, *arguments):
    """All rows of `careen affected`; of every enterprise project, unless one is named."""
    scope = () if "--enterprise-project" in arguments else ALL
    result = run("affected", "-o", "jsonl", "--all", *scope, *arguments, expect=None)
    assert result.returncode in (0, 4), result.stderr
    return json_lines(result.stdout)


def images(run, *arguments):
    scope = () if "--enterprise-project" in arguments else ALL
    return json_lines(run("images", "list", "-o", "jsonl", *scope, *arguments).stdout)


def show(run, image_id, *arguments):
    return json.loads(run("images", "show", image_id, "-o", "json", *arguments).stdout)


def only_image(run, *arguments):
    """The detail of the one image there is."""
    listed = images(run, *arguments)
    assert len(listed) == 1, listed
    project = [word for word in arguments if word.startswith("--project=")]
    return show(run, listed[0]["image_id"], *project)


def pairs(all_rows):
    """(image name, version, vulnerability) of rows, in order."""
    return [(row["image_name"], row["image_version"], row["vul_id"]) for row in all_rows]


def packages(detail):
    return sorted((package["name"], package["version"]) for package in detail["packages"])
