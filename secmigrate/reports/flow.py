"""The flow picture: old groups on the left, what they become on the right, bands as wide as the people are many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from secmigrate.reports.escaping import markup, visible
from secmigrate.reports.migration import Flow
from secmigrate.reports.words import many

WIDTH, LABEL, BAR = 800, 270, 9
TOP, GAP, LEAST = 30, 7, 17  # LEAST: height of a node that has room for its name
ROOM = 420  # height that all people together take, if the names leave it to them
LONGEST = 33  # characters of a name that fit

_SAYS = "Old groups on the left, the new ones on the right, with their numbers of users. The table below says the same."


class _Node(Struct):
    """A group on one side: where it stands, and how much of it has its band already."""

    name: str
    people: int
    y: float
    height: float
    scale: float
    used: float = 0.0

    def take(self, people: int) -> tuple[float, float]:
        """The next band's upper and lower end."""
        height = max(people * self.scale, 1.0)
        start = self.y + (self.height - max(self.people * self.scale, 1.0)) / 2 + self.used
        self.used += height
        return start, start + height


def flow_picture(flows: Sequence[Flow]) -> str:
    """An SVG element that needs no script and no style attributes; empty if nothing flows."""
    if not flows:
        return ""
    lefts, rights = _ordered(flows)
    scale = min(9.0, ROOM / max(sum(lefts.values()), sum(rights.values()), 1))
    tall = max(_height(lefts, scale), _height(rights, scale))
    left, right = _placed(lefts, scale, tall), _placed(rights, scale, tall)
    height = max(node.y + node.height for node in (*left.values(), *right.values())) + 6
    prefix = _prefix(one.new for one in flows if one.new)
    order = {key: place for place, key in enumerate(rights)}
    places = {name: place for place, name in enumerate(lefts)}
    lines = [
        f'<svg class="flow" viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-labelledby="flow-title flow-text">',
        '<title id="flow-title">Who goes where</title>',
        f'<desc id="flow-text">{_SAYS}</desc>',
        f'<text class="side" x="{LABEL - 12}" y="14" text-anchor="end">group today</text>',
        f'<text class="side" x="{WIDTH - LABEL + 12}" y="14">becomes {markup(prefix)}{"…" if prefix else ""}</text>',
    ]
    bands = sorted(flows, key=lambda flow: (places[flow.old], order[_target(flow)]))
    lines += [_band(one, left[one.old], right[_target(one)]) for one in bands]
    lines += _labels(left.values(), LABEL - BAR, LABEL - 12 - BAR, "end", "")
    lines += _labels(right.values(), WIDTH - LABEL, WIDTH - LABEL + BAR + 12, "start", prefix)
    return "\n".join((*lines, "</svg>"))


def _target(flow: Flow) -> str:
    """A group that stays has a node of its own, so that nothing seems to join it; no group's name begins with this."""
    return flow.new or f"={flow.old}"


def _ordered(flows: Iterable[Flow]) -> tuple[dict[str, int], dict[str, int]]:
    """Both sides in an order in which few bands cross: those that stay come last."""
    lefts: dict[str, int] = {}
    rights: dict[str, int] = {}
    for one in flows:
        lefts[one.old] = lefts.get(one.old, 0) + one.people
        rights[_target(one)] = rights.get(_target(one), 0) + one.people
    targets = sorted(rights, key=lambda key: (key.startswith("="), -rights[key], key))
    place = {key: at for at, key in enumerate(targets)}
    first: dict[str, int] = {}
    for one in sorted(flows, key=lambda flow: (-flow.people, _target(flow))):
        first.setdefault(one.old, place[_target(one)])
    sources = sorted(lefts, key=lambda name: (first[name], -lefts[name], name))
    return {name: lefts[name] for name in sources}, {key: rights[key] for key in targets}


def _height(people: Mapping[str, int], scale: float) -> float:
    return sum(max(number * scale, LEAST) for number in people.values()) + GAP * (len(people) - 1)


def _placed(people: Mapping[str, int], scale: float, tall: float) -> dict[str, _Node]:
    """Spread over the height, but not further apart than can be seen as one side."""
    found, y = {}, float(TOP)
    gap = GAP + min((tall - _height(people, scale)) / max(len(people) - 1, 1), 3 * GAP)
    for name, number in people.items():
        height = max(number * scale, LEAST)
        found[name] = _Node(name, number, y, height, scale)
        y += height + gap
    return found


def _band(flow: Flow, left: _Node, right: _Node) -> str:
    (a, b), (c, d) = left.take(flow.people), right.take(flow.people)
    x, end = LABEL, WIDTH - LABEL
    middle = (x + end) / 2
    shape = (
        f"M{x} {a:.1f}C{middle} {a:.1f} {middle} {c:.1f} {end} {c:.1f}"
        f"L{end} {d:.1f}C{middle} {d:.1f} {middle} {b:.1f} {x} {b:.1f}Z"
    )
    goes = f"goes to {flow.new}" if flow.new else "stays as it is"
    kind = "none" if not flow.people else "band" if flow.new else "stays"
    said = f"{flow.old} {goes}: {many(flow.people, 'user')}"
    return f'<path class="{kind}" d="{shape}"><title>{markup(said)}</title></path>'


def _labels(nodes: Iterable[_Node], bar: float, text: float, anchor: str, prefix: str) -> Iterator[str]:
    for node in nodes:
        stays = node.name.startswith("=")
        name = visible(node.name.removeprefix("=").removeprefix(prefix))
        shown = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
        start = node.y + (node.height - max(node.people * node.scale, 1.0)) / 2
        yield (
            f'<rect class="{"kept" if stays else "node"}" x="{bar}" y="{start:.1f}" width="{BAR}" '
            f'height="{max(node.people * node.scale, 1.0):.1f}"/>'
        )
        people = f'<tspan class="people">{node.people}</tspan>'
        label = f"{markup(shown)} (stays)" if stays else markup(shown)
        both = f"{label}  {people}" if anchor == "end" else f"{people}  {label}"
        yield (
            f'<text x="{text}" y="{node.y + node.height / 2 + 4:.1f}" text-anchor="{anchor}">'
            f"<title>{markup(name)}</title>{both}</text>"
        )


def _prefix(names: Iterable[str]) -> str:
    """What all new names begin with, to the last hyphen."""
    every = sorted(set(names)) or [""]
    first, last = every[0], every[-1]
    differs = next(
        (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
    )
    return first[: first.rfind("-", 0, differs) + 1]
