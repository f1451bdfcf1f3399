"""Parser of the output of `nft list ruleset`."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping

from acp_tui.nodes.packet_filter.model import Action, Chain, Hook, Rule
from acp_tui.nodes.packet_filter.nft_rule import Budget, parse
from acp_tui.nodes.packet_filter.nft_sets import NamedSet, elements

_TOKEN = re.compile(r'"[^"\n]*"|[{}(),;|]|[^\s{}(),;|"]+')
_PRIORITIES: Mapping[str, int] = {
    "raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100, "out": 100,
}  # fmt: skip
FAMILIES = ("ip", "ip6", "inet", "netdev")


class NotAList(ValueError):
    """The output contains text that `nft list ruleset` does not print. The message is the first such line."""


class _Table:
    def __init__(self, family: str, name: str) -> None:
        self.family = family
        self.name = name
        self.dormant = False
        self.sets: dict[str, NamedSet] = {}
        self.chains: list[tuple[str, list[str]]] = []
        """The names of the chains and the lines in them."""


def tables_of(rows: Iterable[str]) -> Iterator[_Table]:
    """Yield the tables of a list. Raises NotAList: the list contains another text, such as an error."""
    table: _Table | None = None
    block: list[str] | None = None
    depth = 0
    for row in rows:
        text = row.strip()
        if not text or (table is None and text.startswith("#")):
            continue
        tokens = _TOKEN.findall(text.partition(" # handle ")[0])
        if table is None:
            if tokens[:1] != ["table"] or tokens[-1:] != ["{"] or len(tokens) not in (3, 4):
                raise NotAList(text[:200])
            family, name = ("ip", tokens[1]) if len(tokens) == 3 else (tokens[1], tokens[2])
            table, depth, block = _Table(family, name), 1, None
            continue
        before = depth
        depth += tokens.count("{") - tokens.count("}")
        if depth <= 0:
            yield table
            table = None
        elif before == 1 and depth > 1:
            block = []
            kind, name = tokens[0], tokens[1] if len(tokens) > 1 else ""
            if kind == "chain":
                table.chains.append((name, block))
            elif kind in ("set", "map"):
                table.sets[name] = NamedSet()
                block = _SetBlock(table.sets[name])
            if depth == 2 and tokens[-1] != "{":
                block.append(text)
        elif before > 1 and block is not None:
            if depth > 1 or text != "}":
                block.append(text)
            if depth == 1:
                _finish(block)
                block = None
        elif tokens[0] == "flags":
            table.dormant = "dormant" in tokens
    if table is not None:
        raise NotAList(f"table {table.family} {table.name}")


class _SetBlock(list[str]):
    """The lines of a set. They become its elements when the block ends."""

    def __init__(self, target: NamedSet) -> None:
        super().__init__()
        self.target = target


def _finish(block: list[str]) -> None:
    if isinstance(block, _SetBlock):
        tokens = [token for line in block for token in _TOKEN.findall(line)]
        if "elements" in tokens and "{" in tokens[tokens.index("elements") :]:
            begin = tokens.index("{", tokens.index("elements"))
            block.target.elements = elements([token for token in tokens[begin + 1 :] if token not in ("{", "}")])


def chains_of(table: _Table, budget: Budget) -> Iterator[Chain]:
    """Yield the chains of a table that handle IP packets; none if the table is switched off."""
    if table.dormant or table.family not in FAMILIES:
        return
    for name, rows in table.chains:
        header = next((row for row in rows[:3] if row.startswith("type ")), "")
        body = [row for row in rows if row is not header]
        rules = tuple(rule for text in _statements(body) for rule in parse(*text, table.sets, budget))
        yield _chain(table, name, header, rules)


def _statements(rows: Iterable[str]) -> Iterator[tuple[list[str], str]]:
    """Yield the tokens and the text of each rule. A set in a rule can continue on the next lines."""
    tokens: list[str] = []
    text = ""
    depth = 0
    for row in rows:
        more = _TOKEN.findall(row)
        tokens += more
        text = f"{text} {row}" if text and len(text) < 1000 else text or row
        depth += more.count("{") - more.count("}")
        if depth <= 0:
            if tokens[:1] != ["comment"]:
                yield tokens, text
            tokens, text, depth = [], "", 0
    if tokens:
        yield tokens, text


def _chain(table: _Table, name: str, header: str, rules: tuple[Rule, ...]) -> Chain:
    tokens = _TOKEN.findall(header)
    hook = tokens[tokens.index("hook") + 1] if "hook" in tokens[:-1] else ""
    if hook not in tuple(Hook):
        return Chain(table.family, table.name, name, rules)
    devices: list[str] = []
    for key in ("device", "devices"):
        if key in tokens:
            rest = tokens[tokens.index(key) + 1 :]
            devices = [
                token.strip('"') for token in rest[: rest.index("priority")] if token not in ("=", "{", "}", ",")
            ]
    return Chain(
        table.family,
        table.name,
        name,
        rules,
        Hook(hook),
        _priority(tokens),
        Action.DROP if re.search(r"policy drop", header) else Action.ACCEPT,
        "nat" in tokens[:2],
        tuple(devices),
    )


def _priority(tokens: list[str]) -> int:
    """Return the priority of a chain: a number, or a name with an offset such as `filter - 10`."""
    if "priority" not in tokens:
        return 0
    rest = tokens[tokens.index("priority") + 1 :]
    end = rest.index(";") if ";" in rest else len(rest)
    total, sign = 0, 1
    for token in rest[: min(end, 4)]:
        if token in "+-":
            sign = -1 if token == "-" else 1
        elif token in _PRIORITIES:
            total += _PRIORITIES[token]
        elif re.fullmatch(r"-?[0-9]{1,10}", token):
            total += sign * int(token)
    return total


def parse_ruleset(rows: Iterable[str], without: Container[tuple[str, str]] = ()) -> tuple[list[Chain], list[str]]:
    """Return the chains and the names of the tables in the output of `nft list ruleset`.

    `without`: family and name of the tables that were read with iptables. Raises NotAList."""
    budget = Budget()
    chains: list[Chain] = []
    names: list[str] = []
    for table in tables_of(rows):
        names.append(f"{table.family} {table.name}")
        if (table.family, table.name) not in without:
            chains += chains_of(table, budget)
    return chains, names
