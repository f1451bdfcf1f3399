"""Parser of one rule in the output of `nft list ruleset`.

A part of a rule that the parser does not know becomes a condition `What.UNKNOWN`, so the rule may or may not apply.
"""

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

from acp_tui.nodes.packet_filter import nft_fields as fields
from acp_tui.nodes.packet_filter.model import Action, Match, Rule, What
from acp_tui.nodes.packet_filter.nft_fields import Field, unknown
from acp_tui.nodes.packet_filter.nft_sets import (
    NamedSet,
    any_match,
    element_matches,
    elements,
    flag_match,
    ordered_match,
    set_mark,
    simple_match,
)

_VERDICTS: Mapping[str, Action] = {
    "accept": Action.ACCEPT, "drop": Action.DROP, "reject": Action.REJECT, "return": Action.RETURN,
    "continue": Action.CONTINUE, "jump": Action.JUMP, "goto": Action.GOTO, "queue": Action.UNKNOWN,
    "masquerade": Action.MASQUERADE, "snat": Action.SNAT, "dnat": Action.DNAT, "redirect": Action.DNAT,
    "tproxy": Action.ACCEPT, "synproxy": Action.ACCEPT, "fwd": Action.UNKNOWN,
}  # fmt: skip
_TARGETS: Mapping[str, Action] = {
    "REJECT": Action.REJECT, "MASQUERADE": Action.MASQUERADE, "SNAT": Action.SNAT, "DNAT": Action.DNAT,
    "REDIRECT": Action.DNAT, "NFQUEUE": Action.UNKNOWN, "TARPIT": Action.DROP,
}  # fmt: skip
"""The targets of iptables that end a packet; other targets do not."""
_STATEMENTS = frozenset(
    ("counter", "log", "limit", "quota", "meter", "add", "update", "delete", "notrack", "flow", "dup", "comment", "xt",
     "#", "last", "set", "reset")
)  # fmt: skip
_OPERATORS = frozenset(("==", "!=", "<", ">", "<=", ">=", "eq", "ne", "lt", "gt", "le", "ge"))
_REJECTED: Mapping[str, tuple[Match, ...]] = {
    "with icmp": (fields.family(4),),
    "with icmpv6": (fields.family(6),),
    "with tcp": (fields.protocol(6),),
}
"""The packets to which a kind of reply applies; nft does not list these conditions."""
_ALSO_VALUES = ("redirect", "dnat", "snat")
"""Verdicts that are also a type of ICMP, or a state of a connection."""
MOST_BRANCHES = 50_000
"""The maximum number of rules that the verdict maps of one list can produce."""
_COUNTER = re.compile(r" ?\bcounter packets [0-9]{1,20} bytes [0-9]{1,20}")


@dataclass
class Budget:
    """Counts the rules that verdict maps produce."""

    left: int = MOST_BRANCHES


def shown(text: str) -> str:
    """Return the text of a rule for a message: without counters and at most 160 characters."""
    plain_text = _COUNTER.sub("", text[:1000]).strip()
    return plain_text if len(plain_text) <= 160 else plain_text[:157] + "..."


def parse(tokens: Sequence[str], text: str, sets: Mapping[str, NamedSet], budget: Budget) -> Iterator[Rule]:
    """Yield the rules of a listed rule: one, or one for each element of a verdict map.

    Nothing is yielded for a rule that neither ends a packet nor changes its mark."""
    yield from _Rule(tokens, text, sets, budget).rules()


class _Rule:
    def __init__(self, tokens: Sequence[str], text: str, sets: Mapping[str, NamedSet], budget: Budget) -> None:
        self._tokens = tokens
        self._text = shown(text)
        self._sets = sets
        self._budget = budget
        self._at = 0
        self._matches: list[Match] = []

    def rules(self) -> Iterator[Rule]:
        tokens = self._tokens
        while self._at < len(tokens):
            token = tokens[self._at]
            if token in _VERDICTS:
                yield self._verdict(tokens[self._at :])
                return
            if token in _STATEMENTS:
                rule = self._statement(token)
                if rule is not None:
                    yield rule
            elif token == "ct" and tokens[self._at + 1 : self._at + 2] == ["count"]:
                self._rate(6)
            elif token in fields.STARTS or token.startswith("@"):
                done = yield from self._comparison()
                if done:
                    return
            else:
                self._matches.append(unknown(token))
                self._at += 1

    def _verdict(self, tokens: Sequence[str], more: tuple[Match, ...] = ()) -> Rule:
        action = _VERDICTS.get(tokens[0], Action.UNKNOWN) if tokens else Action.UNKNOWN
        target = ""
        if action in (Action.JUMP, Action.GOTO):
            target = tokens[1] if len(tokens) > 1 else ""
        elif action in (Action.SNAT, Action.DNAT) and "to" in tokens:
            target = " ".join(tokens[tokens.index("to") + 1 :])[:100]
        elif action is Action.REJECT:
            more = (*more, *_REJECTED.get(" ".join(tokens[1:3]), ()))
        return Rule((*self._matches, *more), action, target, self._text)

    def _statement(self, token: str) -> Rule | None:
        """Parse a statement that does not end the rule. Returns the rule of a statement that changes the packet."""
        tokens, start = self._tokens, self._at
        self._at += 1
        if token in ("limit", "quota"):
            self._at = start
            self._rate(8)
        elif token == "notrack":
            return Rule(tuple(self._matches), Action.UNTRACK, text=self._text)
        elif token in ("meter", "add", "update", "delete", "flow", "dup", "set", "reset"):
            end = self._skip(self._at)
            if "limit" in tokens[start:end] or "quota" in tokens[start:end] or "count" in tokens[start:end]:
                self._matches.append(Match(What.RATE, negated="over" in tokens[start:end]))
            self._at = end
        elif token == "xt":
            name = tokens[start + 2].strip('"') if len(tokens) > start + 2 else ""
            self._at = start + 3
            return self._xt(name)
        elif token == "#":
            name = tokens[start + 1] if len(tokens) > start + 1 else ""
            self._at = start + 2 if name.startswith("xt_") else len(tokens)
            return self._xt(name.removeprefix("xt_")) if name.startswith("xt_") else None
        elif token == "comment":
            self._at = start + 2
        else:
            self._at = self._skip(self._at)
        return None

    def _xt(self, name: str) -> Rule | None:
        """Parse a match or target of iptables, of which nft shows only the name."""
        if name in _TARGETS:
            return Rule(tuple(self._matches), _TARGETS[name], text=self._text)
        if name == "MARK":
            return Rule((*self._matches, unknown("xt", name)), Action.MARK, text=self._text)
        if name and not name.isupper() and name != "comment":
            self._matches.append(unknown("xt", name))
        return None

    def _rate(self, most: int) -> None:
        end = self._skip(self._at + 1, most)
        self._matches.append(Match(What.RATE, negated="over" in self._tokens[self._at : end]))
        self._at = end

    def _skip(self, at: int, most: int = 1000) -> int:
        """Return the index of the next statement, comparison or verdict behind `at`. Text in braces is skipped."""
        depth = 0
        first = at
        while at < len(self._tokens) and at < first + most:
            token = self._tokens[at]
            depth += (token == "{") - (token == "}")
            at += 1
            following = self._tokens[at] if at < len(self._tokens) else ""
            if depth <= 0 and (following in _VERDICTS or following in _STATEMENTS or following in fields.STARTS):
                return at
        return at

    def _comparison(self) -> Generator[Rule, None, bool]:
        """Parse a comparison. Returns True if it is a verdict map, which ends the rule."""
        start = self._at
        compared = self._fields()
        following = self._token()
        if following == "set":
            yield from self._assignment(compared)
            return False
        mask = self._mask()
        operator = self._token() if self._token() in _OPERATORS else "=="
        self._at += self._token() in _OPERATORS
        if self._token() == "vmap":
            yield from self._branches(compared, start)
            return True
        found = self._values()
        try:
            self._matches += self._condition(compared, found, operator, mask)
        except ValueError:
            self._matches.append(unknown(*self._tokens[start : self._at]))
            self._at = max(self._at, self._skip(self._at - 1, 40) if found is None else self._at)
        return False

    def _token(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _fields(self) -> tuple[Field | None, ...]:
        """Parse the compared field, or several with `.` between them."""
        found: list[Field | None] = []
        while True:
            one, self._at = fields.field(self._tokens, self._at)
            found.append(one)
            if self._token() != "." or self._at + 1 >= len(self._tokens):
                return tuple(found)
            self._at += 1

    def _assignment(self, compared: tuple[Field | None, ...]) -> Iterator[Rule]:
        """Parse a statement such as `meta mark set 0x1`; only the mark of a packet matters for its way."""
        self._at += 1
        start = self._at
        if self._token() in ("meta", "mark"):
            self._at += 2 if self._token() == "meta" else 1
            self._at += 2 if self._token() in ("|", "&", "^", "or", "and", "xor") else 0
        else:
            self._at = self._skip(self._at)
        if compared[0] is None or compared[0].what is not What.MARK:
            return
        tokens = [token for token in self._tokens[start : self._at] if token not in ("meta", "mark")]
        matches = tuple(self._matches)
        try:
            change = set_mark(tokens)
        except ValueError:
            matches, change = (*matches, unknown("mark")), (0, 0)
        yield Rule(matches, Action.MARK, text=self._text, mark=change)

    def _mask(self) -> tuple[str, ...] | None:
        if self._token() not in ("&", "and"):
            return None
        self._at += 1
        tokens: list[str] = []
        if self._token() == "(":
            while self._token() not in (")", ""):
                self._at += 1
                tokens += [self._token()] if self._token() not in ("|", ",", ")", "") else []
        else:
            tokens.append(self._token())
        self._at += 1
        return tuple(tokens)

    def _values(self) -> NamedSet | None:
        """Parse the values of a comparison: a set in braces, the name of a set, or one or several tokens.

        The result is None for an empty comparison."""
        token = self._token()
        if token == "{":
            end = self._closing()
            found = NamedSet(elements(self._tokens[self._at + 1 : end]), braces=True)
            self._at = end + 1
            return found
        if token.startswith("@"):
            self._at += 1
            return self._sets.get(token[1:])
        if not token or token in _STATEMENTS or (token in _VERDICTS and token not in _ALSO_VALUES):
            return None
        tokens = [token]
        self._at += 1
        while self._token() in (",", "|", ".", "/") and self._at + 1 < len(self._tokens):
            joint, more = self._tokens[self._at], self._tokens[self._at + 1]
            if joint == ",":
                tokens.append(more)
            else:
                tokens[-1] += joint + more
            self._at += 2
        return NamedSet([((token,), ()) for token in tokens])

    def _closing(self) -> int:
        """Return the index of the brace that closes the one at the current position."""
        depth = 0
        for at in range(self._at, len(self._tokens)):
            depth += (self._tokens[at] == "{") - (self._tokens[at] == "}")
            if depth == 0:
                return at
        return len(self._tokens)

    def _condition(
        self, compared: tuple[Field | None, ...], found: NamedSet | None, operator: str, mask: tuple[str, ...] | None
    ) -> list[Match]:
        """Return the conditions of a comparison. Raises ValueError if acp-tui cannot evaluate it."""
        known = [one for one in compared if one is not None]
        if found is None or len(known) < len(compared):
            raise ValueError("unknown field or set")
        needs = [need for one in known for need in one.needs]
        negated = operator in ("!=", "ne")
        if len(known) > 1:
            return [*needs, any_match(tuple(known), found, negated)]
        one = known[0]
        if operator not in ("==", "eq", "!=", "ne"):
            return [*needs, ordered_match(one, found.elements[0][0][0], operator)]
        if one.what is What.FLAGS:
            return [*needs, flag_match(one, found, negated, mask)]
        return [*needs, simple_match(one, found, negated, mask)]

    def _branches(self, compared: tuple[Field | None, ...], start: int) -> Iterator[Rule]:
        """Yield a rule for each element of a verdict map. An element for all other packets comes last."""
        self._at += 1
        found = self._values()
        known = tuple(one for one in compared if one is not None)
        count = len(found.elements) if found is not None else 0
        self._budget.left -= count
        if found is None or len(known) < len(compared) or self._budget.left < 0:
            yield Rule((*self._matches, unknown(*self._tokens[start : self._at])), Action.UNKNOWN, text=self._text)
            return
        needs = tuple(need for one in known for need in one.needs)
        for key, value in sorted(found.elements, key=lambda element: element[0] == ("*",)):
            try:
                conditions = needs if key == ("*",) else (*needs, *element_matches(known, key))
            except ValueError:
                conditions = (*needs, unknown(*key))
            yield self._verdict(value, conditions)
