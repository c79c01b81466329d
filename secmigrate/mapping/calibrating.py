"""What the provisioner's own exports teach about its levels: documents that stand for our assumed ones.

What the exports hold is unknown (sec-provisioner 7): any policy document in them is looked at, and taken for a level
only if its name says so, or if it alone can be meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct, structs

from secmigrate.access.reading import read
from secmigrate.iam import Document, has_functions
from secmigrate.mapping.ladders import Ladders
from secmigrate.mapping.reach import listed
from secmigrate.mapping.rules import Catalogue
from secmigrate.sec import Client, Environment, Levels, SecConfig, Values, fill, placeholders

# What CloudFormation's `Fn::Sub` would fill in: IAM's own variables have a prefix, or are a single character.
_LEFT = re.compile(r"\$\{(?![*?$]\}|\w[\w.-]*:[^:}])")
# How SEC's names begin (sec-provisioner 13): whose they are, then what.
_OWNED = re.compile(r"([a-z][a-z0-9-]*?-(?:prod|dev|test|staging)-[a-z0-9]{4})-(?:.*-)?(?:group|role|policy)-")
# How names of a project's resources begin, in an ARN.
_PROJECT = re.compile(r"(?<=[:/])([a-z][a-z0-9-]*?-(?:prod|dev|test|staging)-[a-z0-9]{4})-")


class Export(Struct, frozen=True, kw_only=True):
    """A policy document in an export, with all that names it: file, keys, names, from outside to inside."""

    file: str
    names: tuple[str, ...]
    document: Document


class Learned(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The document of one level, with placeholders, and the file that it comes from."""

    document: Document
    source: str


LearnedLevels = Mapping[str, Mapping[str, Learned]]  # by service and level


class Calibration(Struct, frozen=True, kw_only=True):
    """What was learned, and what was not understood, with the reason."""

    learned: LearnedLevels
    unknown: tuple[str, ...]


class Difference(Struct, frozen=True, kw_only=True):
    """A learned level beside the one that we assume, in words by service: actions that it allows and ours does not
    (`more`), that ours allows and it does not (`less`), and actions that both allow, which one of them allows on
    resources or under conditions on which the other does not (`wider`, `narrower`).
    """

    service: str
    level: str
    source: str
    more: str = ""
    less: str = ""
    wider: str = ""
    narrower: str = ""

    @property
    def differs(self) -> bool:
        """Whether it allows anything else than ours."""
        return bool(self.more or self.less or self.wider or self.narrower)


def calibrated(exports: Iterable[Export], config: SecConfig, levels: Levels) -> Calibration:
    """The levels that the exports show. Two documents for one level are told, and neither is taken."""
    found: dict[tuple[str, str], list[Learned]] = {}
    unknown: list[str] = []
    values = placeholders(config.client, config.environment)
    for export in exports:
        called = f"{export.file}: {' / '.join(export.names[1:]) or 'a document'}"
        if why := _unfit(export, config):
            unknown.append(f"{called}: {why}")
            continue
        at = _named(export.names, levels) or _assigned(export, config, levels)
        if at is None:
            unknown.append(f"{called}: it is not said which level this is")
            continue
        found.setdefault(at, []).append(Learned(document=unfilled(export.document, values), source=export.file))
    services: dict[str, dict[str, Learned]] = {}
    for (service, level), ones in sorted(found.items()):
        if any(one.document != ones[0].document for one in ones):
            sources = ", ".join(sorted({one.source for one in ones}))
            unknown.append(f"{service} {level}: not the same everywhere ({sources}), so none is taken")
        else:
            services.setdefault(service, {})[level] = ones[0]
    return Calibration(learned=services, unknown=tuple(unknown))


def differences(catalogue: Catalogue, learned: LearnedLevels, names: tuple[Client, Environment]) -> list[Difference]:
    """Each learned level beside ours, by service and level."""
    values = placeholders(*names)
    pairs = {
        (service, level): (fill(catalogue.levels[service].levels[level].document, values), fill(one.document, values))
        for service, levels in sorted(learned.items())
        for level, one in sorted(levels.items())
    }
    ladders = Ladders(catalogue.levels, catalogue.actions, values, (new for _, new in pairs.values()))
    found = []
    for (service, level), (ours, theirs) in pairs.items():
        before, after = ladders.grants.allowed((ours,)), ladders.grants.allowed((theirs,))
        found.append(
            Difference(
                service=service,
                level=level,
                source=learned[service][level].source,
                more=_told(ladders, after & ~before),
                less=_told(ladders, before & ~after),
                wider=_elsewhere(ladders, theirs, ours, before & after),
                narrower=_elsewhere(ladders, ours, theirs, before & after),
            )
        )
    return found


def _told(ladders: Ladders, bits: int) -> str:
    return f"{ladders.wording.summed(bits)}: {ladders.wording.counted(bits)}" if bits else ""


def _elsewhere(ladders: Ladders, one: Document, other: Document, actions: int) -> str:
    """Which of the actions the one document allows where the other does not, with an example of where."""
    rows = [row for row in ladders.grants.lacking((one,), (other,)) if row.actions & actions]
    bits = 0
    for row in rows:
        bits |= row.actions & actions
    example = next((f", such as {row.example}" for row in rows if row.example), "")
    return ladders.wording.summed(bits) + example


def with_learned(catalogue: Catalogue, learned: LearnedLevels) -> Catalogue:
    """The catalogue with these levels in the place of ours; what it does not know is left out."""
    levels = {}
    for name, service in catalogue.levels.items():
        new = {
            key: structs.replace(
                service.levels[key],
                mark="C",
                why=f"Exported by the provisioner itself: {one.source}.",
                document=one.document,
            )
            for key, one in learned.get(name, {}).items()
            if key in service.levels
        }
        levels[name] = structs.replace(service, levels={**service.levels, **new})
    return structs.replace(catalogue, levels=levels)


def unfilled(document: Document, values: Values) -> Document:
    """The document with placeholders where it names the project, its development, the account, region or partition."""
    text = document.text
    for name in ("project", "dev_project"):
        text = text.replace(values[name][0].removesuffix("*"), f"${{{name}}}\0")
    # A name that goes on behind the project's beginning is a narrower one: what is known of it stays.
    text = re.sub(r"\0\*", "", text)
    text = re.sub(r"\$\{(project|dev_project)\}\0", lambda found: values[found[1]][0].removesuffix("*"), text)
    text = text.replace(f"arn:{values['partition'][0]}:", "arn:${partition}:")
    text = re.sub(rf"(?<![0-9]){values['account'][0]}(?![0-9])", "${account}", text)
    text = re.sub(rf"(?<=:){re.escape(values['region'][0])}(?=:)", "${region}", text)
    return Document.parse(text)


def _unfit(export: Export, config: SecConfig) -> str:
    """Why no level can be taken from it; empty if one can."""
    document = export.document
    if has_functions(document.value) or _LEFT.search(document.text):
        return "it has functions of CloudFormation in it"
    if flaws := read(document).flaws:
        return f"{flaws[0].place}: {flaws[0].what}"
    if not any(row["Effect"] == "Allow" for row in document.statements):
        return "it allows nothing"
    for name in export.names:
        found = None if name.startswith(f"{config.owner}-") else _OWNED.match(name)
        if found:
            return f"it is of {found[1]}, and not of {config.owner}"
    projects = {found[1] for row in document.statements for found in _projects(row)}
    values = placeholders(config.client, config.environment)
    ours = {values[name][0].removesuffix("-*") for name in ("project", "dev_project")}
    if projects and projects.isdisjoint(ours):
        return f"what it is about is of {min(projects)}, and not of {config.owner}"
    return ""


def _projects(statement: Mapping[str, object]) -> Iterator[re.Match[str]]:
    for element in ("Resource", "NotResource"):
        for resource in listed(statement.get(element)):
            yield from _PROJECT.finditer(resource)


def _named(names: Iterable[str], levels: Levels) -> tuple[str, str] | None:
    """The one level that the names say; the innermost name that says one counts."""
    for name in reversed(tuple(names)):
        plain = f"-{_plain(name)}-"
        found = {
            (service.id, key)
            for service in levels.values()
            for key, level in service.levels.items()
            if any(f"-{_plain(service.id)}-{_plain(called)}-" in plain for called in (key, level.name))
        }
        if len(found) == 1:
            return found.pop()
    return None


def _assigned(export: Export, config: SecConfig, levels: Levels) -> tuple[str, str] | None:
    """The level that the config gives a group for the only service that the document is about."""
    if any("Action" not in row for row in export.document.statements):
        return None
    prefixes = {
        action.partition(":")[0] for row in export.document.statements for action in listed(row.get("Action"))
    } - {"iam", "sts", "kms", "logs"}
    about = [service.id for service in levels.values() if prefixes and prefixes <= set(service.prefixes)]
    groups = config.security.iam_groups
    keys = [key for key in groups if any(f"-{_plain(name)}".endswith(f"-{_plain(key)}") for name in export.names)]
    if len(about) != 1 or len(keys) != 1:
        return None
    level = groups[keys[0]].policy_assignments.get(about[0])
    return (about[0], level) if level else None


def _plain(name: str) -> str:
    """Words with hyphens between: `S3Level2`, `s3_level_2` and `s3_level2` are `s3-level2`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)
    return re.sub(r"level-(?=[0-9])", "level", re.sub(r"[^a-z0-9]+", "-", spaced.lower()).strip("-"))
