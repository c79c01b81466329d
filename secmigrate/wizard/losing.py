"""Parts 3 and 4: the config is checked, and everybody's access compared; losses are accepted or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct, structs

from secmigrate import documents
from secmigrate.access import Accepted, Change, Comparison
from secmigrate.access.telling import Teller, raises_privilege
from secmigrate.cli import account
from secmigrate.plan.destination import destination
from secmigrate.plan.moves import successors
from secmigrate.wizard.desk import Desk, Leave, many, some

ASSUME = "sts:AssumeRole"


class Kind(Struct, frozen=True):
    """Losses of one kind: a service's actions, or roles that people may not assume any more."""

    what: str
    people: Mapping[str, frozenset[str]]  # what each loses, by name
    accepts: Mapping[str, frozenset[str]]  # the actions that stand for it in decisions.yaml
    example: str

    def only(self, person: str) -> Kind:
        """Of one person alone."""
        return structs.replace(self, people={person: self.people[person]}, accepts={person: self.accepts[person]})

    @property
    def things(self) -> list[str]:
        """All that somebody loses."""
        return sorted(frozenset().union(*self.people.values()))


def check(desk: Desk) -> None:
    """`validate`, until there is no error."""
    while True:
        heard = desk.run("validate")
        desk.show(heard.lines)
        if heard.code == 0:
            return
        desk.say("The config has errors; mend them in the file, in an editor.")
        if not desk.ask.choose("Check it again?", [(True, "Check again"), (False, "Leave")]):
            raise Leave


def compare(desk: Desk) -> None:
    """What will be there that is not, who loses and gains, and which losses somebody takes."""
    diff = desk.run("diff").document
    desk.say("", f"{many(len(diff['missing']), 'group or role', 'groups and roles')} will be made.")
    desk.say(*(f"  {one['kind']} {one['name']} is there, but different" for one in diff["different"][:10]))
    desk.command("access")
    with desk.out.working("comparing everybody's access"):
        kinds, summary = _losses(desk)
    desk.say("", *summary)
    while kinds:
        desk.say("", "Lost, and nobody has accepted it yet:")
        desk.say(*(f"  {n}. {_told(kind)}" for n, kind in enumerate(kinds, 1)))
        desk.say(
            "",
            "Whoever would lose something that is not accepted keeps the old groups. A higher level in the config may "
            "cover it instead.",
        )
        what = desk.ask.choose(
            "What about these losses?",
            [
                ("each", "Go through them, kind by kind"),
                ("all", "Accept them all, for one reason"),
                ("show", "Show who loses what, and by which statement"),
                ("on", "Go on: these people keep their old groups"),
            ],
        )
        if what == "on":
            return
        if what == "show":
            desk.show(desk.run("access").lines)
        elif what == "all":
            _accept(desk, kinds)
            kinds = []
        else:
            kinds = [kind for kind in kinds if not _asked(desk, kind)]
            if kinds and not _more(desk, kinds):
                return


def _more(desk: Desk, kinds: list[Kind]) -> bool:
    people = {person for kind in kinds for person in kind.people}
    desk.say("", f"Not accepted: {some((kind.what for kind in kinds), 8)}; {many(len(people), 'person', 'people')}.")
    return desk.ask.choose("Go on?", [(False, "Go on: these people keep their old groups"), (True, "Look again")])


def _losses(desk: Desk) -> tuple[list[Kind], list[str]]:
    """What is lost and not accepted, by kind, and the summary of all that changes."""
    space = desk.space
    before, moves = account.inventory(space), space.outcome().moves
    after = destination(before, account.planned(space), moves)
    watch = account.watch(space, before, after)
    comparison = watch.between(before, after, successors(moves))
    teller = Teller(comparison)
    actions: dict[str, dict[str, set[str]]] = {}
    examples: dict[str, str] = {}
    roles: dict[str, frozenset[str]] = {}
    changes: list[Change] = []
    for change in comparison.users():
        changes += [change] if change else []
        for row in watch.unaccepted(change):
            for action in comparison.catalogue.named(row.actions):
                service = action.name.partition(":")[0]
                actions.setdefault(service, {}).setdefault(change.name, set()).add(action.name)
                if service not in examples:
                    _, why = next(iter(teller.parts(change, row, gained=False)))
                    examples[service] = f"{change.name}, {action.name} on {row.extent.region}: {_first(why)}"
        if barred := watch.barred(change):
            roles[change.name] = frozenset(barred)
    kinds = [_kind(service, people, examples[service]) for service, people in sorted(actions.items())]
    if roles:
        name = min(roles)
        example = f"{name} may assume {min(roles[name])} today, and not, or not as before, what takes its place"
        kinds.append(Kind("to assume a role", roles, dict.fromkeys(roles, frozenset({ASSUME})), example))
    return kinds, list(_summary(comparison, changes))


def _first(why: str) -> str:
    """The reason without all that is still allowed elsewhere; `access --user` has that."""
    before, *now = why.split("; ")
    return (
        f"{before}; now {'on other resources only' if len(now) > 1 else now[0].removeprefix('now ')}" if now else before
    )


def _kind(service: str, people: Mapping[str, set[str]], example: str) -> Kind:
    frozen = {person: frozenset(names) for person, names in people.items()}
    return Kind(service, frozen, frozen, example)


def _summary(comparison: Comparison, changes: list[Change]) -> Iterator[str]:
    total = len(comparison.before.users)
    lose, gain = sum(one.takes for one in changes), sum(bool(one.gained) for one in changes)
    keep = f"{many(total, 'person', 'people')}: {total - len(changes)} keep exactly what they have"
    yield f"{keep}, {lose} lose something or may, {gain} gain something."
    raising = {
        action.name
        for change in changes
        for row in change.gained
        for action in comparison.catalogue.named(row.actions)
        if raises_privilege(action)
    }
    if raising:
        yield f"Some gain what raises privilege: {some(sorted(raising), 4)}."


def _told(kind: Kind) -> str:
    what = "roles" if kind.what.startswith("to ") else "actions"
    number, people = len(kind.things), many(len(kind.people), "person", "people")
    return f"{kind.what}: {many(number, what[:-1])}, {people}, such as {kind.things[0]}"


def _asked(desk: Desk, kind: Kind) -> bool:
    """One kind of loss; whether it was accepted for everybody."""
    desk.say("", _told(kind), f"  people: {some(sorted(kind.people), 8)}", f"  what: {some(kind.things, 8)}")
    desk.say(f"  for example {kind.example}")
    while True:
        what = desk.ask.choose(
            f"Is it right that they lose this ({kind.what})?",
            [
                ("later", "Decide later"),
                ("yes", "Yes, all of them"),
                ("each", "Person by person"),
                ("show", "Show every action and every person"),
            ],
        )
        if what == "later":
            return False
        if what == "yes":
            _accept(desk, [kind])
            return True
        if what == "each":
            return _each(desk, kind)
        desk.say(*(f"  {person}: {', '.join(sorted(names))}" for person, names in sorted(kind.people.items())))


def _each(desk: Desk, kind: Kind) -> bool:
    left = False
    for person in sorted(kind.people):
        mine = kind.only(person)
        desk.say("", f"{person} would lose: {some(mine.things, 12)}")
        if desk.ask.choose(
            f"Is it right that {person} loses this?", [(False, "Decide later"), (True, "Yes, and I say why")]
        ):
            _accept(desk, [mine])
        else:
            left = True
    return not left


def _accept(desk: Desk, kinds: Iterable[Kind]) -> None:
    """Writes down that these losses are taken, and why: exactly these actions, for exactly these people."""
    why = desk.ask.text("Why is that right? It is kept with your answer:", check=_said)
    together: dict[frozenset[str], list[str]] = {}
    for kind in kinds:
        for person, names in kind.accepts.items():
            together.setdefault(names, []).append(person)
    entries = [
        Accepted(actions=tuple(sorted(names)), users=tuple(sorted(people)), why=why)
        for names, people in sorted(together.items(), key=lambda one: (sorted(one[0]), one[1]))
    ]
    with desk.space.locked():
        before = documents.read_decisions(desk.space.decisions)
        documents.write_decisions(
            desk.space.decisions, structs.replace(before, accept=tuple(dict.fromkeys((*before.accept, *entries))))
        )
    desk.say(f"Written down in {desk.space.decisions}, under accept: {many(len(entries), 'entry', 'entries')}.")


def _said(text: str) -> str:
    return "" if text else "Say it in a few words: whoever reads the decision later will ask."
