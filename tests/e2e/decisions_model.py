# SPDX-License-Identifier: Apache-2.0
"""What decisions must make of the rows of inventory.py, worked out from the rules
(docs/contract.md, section 5.1; docs/architecture.md, Vocabulary: decision) and from nothing that
the server says.

Decisions lie over claims: of those that match one the newest wins. A row is ignored (handled) when
every one of its claims is.
"""
import types

import inventory

IGNORES = ("ignore", "add_to_whitelist")
ALL = "all_granted_eps"


class Model(inventory.Model):
    """The inventory, with decisions over it, the oldest first."""

    def __init__(self):
        super().__init__()
        self.decisions = []

    # --- Rows

    def verdict(self, groups, image, type, title, claim, scanned):
        """The action of the decision that holds for the claim; "not_ignore" if none does."""
        for decision in reversed(self.decisions):
            if decision.action == "manual_repair" and scanned > decision.made:
                continue
            if decision.package and decision.package != claim.package:
                continue
            if self.reaches(decision, groups, image, type, title):
                return decision.action
        return "not_ignore"

    @staticmethod
    def reaches(decision, groups, image, type, title):
        names = groups.get(title, {title})
        return (
            (decision.pairs is None or (image.id, type, title) in decision.pairs)
            and (decision.vuls is None or bool(decision.vuls & names))
            and decision.type in (None, type)
            and decision.image_type in (None, image.place["image_type"])
            and (decision.images is None or image.id in decision.images)
            and (decision.projects is None
                 or image.place["enterprise_project_id"] in decision.projects)
            and (decision.place is None or decision.place(image))
        )

    def rows(self):
        groups = self.groups()
        for row, (image, type, title, held) in zip(super().rows(), self.findings()):
            verdicts = [self.verdict(groups, image, type, title, *one) for one in held]
            if all(verdict in IGNORES for verdict in verdicts):
                row["status"] = "vul_status_ignored"
            row["is_handled"] = "not_ignore" not in verdicts
            yield row

    # --- Decisions

    def decide(self, action, made, vuls=None, type=None, images=None, image_type=None,
               projects=None, package=None, place=None, pairs=None):
        """One more decision; None: whatever it is. projects: enterprise projects. place: a test of
        images. pairs: the rows (image id, type, title) that it is about and no others."""
        self._rows = None
        self.decisions.append(types.SimpleNamespace(
            action=action, made=made, vuls=vuls and set(vuls), type=type, images=images,
            image_type=image_type, projects=projects, package=package, place=place, pairs=pairs))
        return self.decisions[-1]

    def withdraw(self, decision):
        self._rows = None
        self.decisions.remove(decision)

    def pairs_of(self, projects, handled=None, **query):
        """The rows that are there now, as pairs for decide()."""
        rows = self.matching(enterprise_project_id=ALL, **query)
        return {(row["image_id"], row["type"], row["vul_id"]) for row in rows
                if (projects is None or row["enterprise_project_id"] in projects)
                and handled in (None, row.handled)}

    def operate(self, body, made, projects):
        """The body of HandleImageVulnerability. A list names nothing that is not there.

        Of named images, handle_status chooses rows, as it does for a repair. Else a decision holds
        for images that come later, too, so that it chooses vulnerabilities, if none are named."""
        image_type = {"local_image": "local"}.get(body["image_type"], body["image_type"])
        common = {"type": body["type"], "image_type": image_type}
        handled = {"handled": True, "unhandled": False}.get(body.get("handle_status"))
        action, now = body["operate_type"], self.pairs_of(projects, handled, **common)
        chosen = {  # each (vulnerabilities, images); None: all
            "all_vul": lambda: [(None, None)],
            "specific_image_all_vul": lambda: [(None, body["image_id_list"])],
            "specific_vul_all_image": lambda: [(body["vul_id_list"], None)],
            "vul_view": lambda: [([one["vul_id"]], one["image_id_list"])
                                 for one in body["vul_data_list"]],
            "image_view": lambda: [(one["vul_id_list"], [one["image_id"]])
                                   for one in body["image_data_list"]],
        }[body["select_type"]]()
        for vuls, images in chosen:
            by_row = (vuls is None if images else action == "manual_repair") or (
                handled is not None and bool(images))
            if vuls is None:  # those that have a row within the scope now
                vuls = {title for id, _, title in now if images is None or id in images}
            if vuls:
                self.decide(action, made, vuls, images=images, projects=projects,
                            pairs=now if by_row else None, **common)
