# SPDX-License-Identifier: Apache-2.0
"""What is asked through every SDK alike.

A case is a dictionary that a driver of tests/sdk understands: endpoint, ak, sk, project (or region,
with the IAM endpoint `iam`), security_token, derived and sm3 (ways to sign), unchecked (Java: send
even what lacks mandatory parameters), call (affected, hosts or token) and parameters.
"""
import random

from inventory import ODD

ALL = "all_granted_eps"
EMPTY = {"is_handled": False, "vul_id": "", "type": "", "image_type": ""}  # what Go cannot omit
LENGTHS = {"enterprise_project_id": 256, "vul_id": 256, "image_id": 256, "image_name": 256,
           "registry_name": 256, "registry_type": 256, "cluster_id": 128}
ENUMS = ["type", "image_type", "repair_necessity", "status"]
TEXTS = [*LENGTHS, *ENUMS]
ROW_TYPES = {"local_image": "local"}

HOSTILE = [
    ODD, " ", " lead and trail ", "+", "%", "%2F", "%00", "100%25", "a&b=c", "a=b", "=", "&", "?#;",
    ",", "\\\"'<>`|^{}[]", "*~!()'", "-._~", "$HOME", "🐳 emoji", "u\u0308\u200bx", "..", "/../",
    "//", "/", "\u00a0", "SELECT 1;--", "a" * 100 + "库" * 20, "@:,!$'()*+;=-._~/?", "\ufeffbom",
    "x" * 300, "\x00", "a\x00b", "\n", "a\r\nb", "\t", "\x7f", "\x85",
]
STRANGE = ["maybe", "", 0, 10.5, "0x0a", "+10", " 10", "٣٠"]


def parameters_alone(model):
    """Every filter alone, with values that some row has and with one that none has."""
    rows = model.matching(enterprise_project_id=ALL)
    made = [{}, {"is_handled": False}, {"is_handled": True}]
    for name in TEXTS:
        if name == "enterprise_project_id":
            values = ["0", "ep-red", "ep-蓝", ALL, "no-such"]
        else:
            values = list(dict.fromkeys(row[name] for row in rows if name in row))[:6]
        values = [ROW_TYPES.get(value, value) for value in values]
        if name in LENGTHS:
            values += [ODD, "no-such"]
        made += [{name: value, **more} for value in values
                 for more in ({}, {"enterprise_project_id": ALL})]
    return made + [{name: ""} for name in TEXTS]


def parameters_together(model, count):
    """Many at once, such that most find rows."""
    rng = random.Random(20261124)
    rows = model.matching(enterprise_project_id=ALL)
    made = []
    for _ in range(count):
        row = {"is_handled": False, **rng.choice(rows)}
        names = rng.sample(["is_handled", *TEXTS], rng.randint(2, 12))
        chosen = {name: row[name] for name in names if name in row}
        chosen["image_type"] = ROW_TYPES.get(row["image_type"], row["image_type"])
        chosen.setdefault("enterprise_project_id", ALL)
        made.append({**chosen, "offset": rng.choice([0, 0, 0, 1, 10]),
                     "limit": rng.choice([10, 11, 199, 200])})
    return made


def parameters_hostile():
    return [{name: value, "enterprise_project_id": ALL} if name != "enterprise_project_id"
            else {name: value} for name in TEXTS for value in HOSTILE]


def parameters_at_limits():
    made = [{"limit": n} for n in (10, 200, 9, 201, 0, -1, 2147483647, -2147483648)]
    made += [{"offset": n} for n in (0, 1, 10, 2000000, 2000001, -1, 2147483647)]
    made += [{name: char * (length + more)} for name, length in LENGTHS.items()
             for char in "a库🐳" for more in (0, 1)]
    made += [{name: value} for name in ENUMS for value in ("Local", "HIGH", "unfix", "linux_vul,")]
    return made


def parameters_strange():
    """What only clients without types can send."""
    return [{name: value} for name in ("is_handled", "limit", "offset") for value in STRANGE]


def case(world, parameters=None, key=None, server=None, **more):
    key, server = key or world.reader, server or world.server
    return {"endpoint": f"http://{server.address}", "ak": key.ak, "sk": key.sk,
            "project": "default", "call": "affected", "parameters": parameters or {}, **more}


def for_language(language, asked):
    """The case as this SDK can send it. Go always sends the four mandatory parameters; Java refuses
    to send a request without them, if it is not told otherwise."""
    if asked["call"] != "affected":
        return asked
    parameters = asked["parameters"]
    if language == "go":
        return {**asked, "parameters": {**EMPTY, **parameters}}
    if language == "java" and any(parameters.get(name) in (None, "") for name in EMPTY):
        return {**asked, "unchecked": True}
    return asked
