"""Scripts for nodes use only features of CentOS 7.6, because the lab has no tools that old.

The oldest system of the manual has bash 4.2, coreutils 8.22, iproute2 4.11, util-linux 2.23, procps-ng 3.3.10,
grep 2.20, sed 4.2.2, systemd 219, tar 1.26, curl 7.29, findutils 4.5.11.

Each row is a newer feature with its first version.
"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "acp_tui"
SOURCES = sorted(
    (
        *ROOT.glob("nodes/**/*.py"),
        *ROOT.glob("preflight/fixes/*.py"),
        ROOT / "install/verify/queries.py",
        ROOT / "install/remote/start_and_follow.py",
    )
)

BASH = {
    r"\$\{\w+(\[[^\]]*\])?@[QEPAaKkULu]\}": "${x@Q}: 4.4",
    r"\b(local|declare|typeset) -\w*n\b": "namerefs: 4.3",
    r"\blocal -(\s|;|$)": "local -: 4.4",
    r"\b(local|declare) -\w*I\b": "declare -I: 5.1",
    r"\bwait -\w*[nfp]\b": "wait -n: 4.3, -f: 5.0, -p: 5.1",
    r"\b(mapfile|readarray)\b[^|;&\n]* -d\b": "mapfile -d: 4.4",
    r"\b(EPOCHSECONDS|EPOCHREALTIME|BASH_ARGV0|SRANDOM|BASH_MONOSECONDS|GLOBSORT|PS0)\b": "4.4 to 5.3",
    r"(^|[;\s])\w+\[-\d+\]\+?=": "a[-1]=x: 4.3; reading ${a[-1]} is 4.2",
    r"\bunset\b[^|;&\n]*\[-\d+\]": "unset a[-1]: 4.3",
    r"(\[\[?|\btest)\s(?:[^\n]*\s)?-v\s+\w+\[": "-v of an element: 4.3",
    r"(\[\[?|\btest)\s(?:[^\n]*\s)?-R\s": "-R: 4.3",
    r"printf\s+(-v \w+ )?(['\"])[^'\"\n]*%\([^)]*\)T[^'\"\n]*\2(?! -1| \")": "%(..)T without a time: 4.3",
    r"\bshopt\b[^;\n]*\b(inherit_errexit|localvar_inherit|localvar_unset|assoc_expand_once|globasciiranges|globskipdots"
    r"|patsub_replacement|varredir_close|progcomp_alias|complete_fullquote|direxpand|extquote_)": "4.3 to 5.2",
    r"\$\{[ |\t]": "${ command; }: 5.3",
    r"\bulimit -\w*[PRk]\b": "4.4 and 5.1",
    r"\bread -\w*E\b": "read -E: 5.3",
}
"""Newer than bash 4.2, which already has: ${x^}, &>>, |&, coproc, exec {fd}<, read -N, BASHPID, declare -A and
-g, lastpipe, printf -v, ${a[-1]}."""

TOOLS = {
    "env": (r"-S|-C|-v|--split-string|--chdir|--debug|--(ignore|default|block)-signal", "coreutils 8.28 to 8.31"),
    "timeout": (r"-v|--verbose", "coreutils 8.29"),
    "dd": (r"status=progress", "coreutils 8.24"),
    "sync": (r"-f|-d|--data|--file-system|/\S+", "coreutils 8.24"),
    "tee": (r"-p|--output-error\S*", "coreutils 8.24"),
    "(head|tail|cut|comm|tr|join|nl)": (r"-z|--zero-terminated", "coreutils 8.25"),
    "(md5sum|sha1sum|sha256sum|sha512sum)": (r"-z|--zero|--ignore-missing", "coreutils 8.25"),
    "(b2sum|basenc)": (r"", "coreutils 8.26 and 8.31"),
    "ls": (r"--hyperlink\S*|--zero|--time=birth|--time=modification", "coreutils 8.28 to 9.0"),
    "cp": (r"--reflink=never|--debug|--update=\S+|--keep-directory-symlink", "coreutils 8.32 to 9.5"),
    "mv": (r"--exchange|--no-copy|--debug|--update=\S+", "coreutils 9.3 to 9.5"),
    "rm": (r"--preserve-root=all", "coreutils 8.30"),
    "wc": (r"--total\S*", "coreutils 9.1"),
    "cksum": (r"-a|--algorithm\S*", "coreutils 9.0"),
    "date": (r"--resolution|--debug", "coreutils 8.25 and 9.2"),
    "stat": (r"--cached\S*", "coreutils 8.31"),
    "ip": (r"-j|-json|-p|-pretty|-N|-Numeric|fibmatch", "iproute2 4.13 and later"),
    "ss": (r"-H|--no-header|-O|--oneline|--cgroup|-Q|--no-queues|-M|--mptcp", "iproute2 4.7 and later"),
    "setsid": (r"-f|--fork", "util-linux 2.32"),
    "(lsblk|findmnt|lscpu|lsns|losetup|sfdisk|swapon|column)": (r"-J|--json", "util-linux 2.27 to 2.30"),
    "lsblk": (r"-M|--merge|-O|--output-all|-T|--tree\S*|-E|--dedup", "util-linux 2.24 to 2.34"),
    "mount": (r"--mkdir\S*|-m|-X|--onlyonce", "util-linux 2.35 to 2.39"),
    "kill": (r"--timeout|--verbose|-r|--require-handler", "util-linux 2.33 to 2.40"),
    "dmesg": (r"--since|--until|--json|-J", "util-linux 2.37 and 2.38"),
    "flock": (r"--verbose|-F|--no-fork|--fcntl", "util-linux 2.27 to 2.40"),
    "(pgrep|pkill)": (
        r"-r|--runstates|-A|--ignore-ancestors|-H|--require-handler|-Q|--shell-quote",
        "procps-ng 3.3.16",
    ),
    "(pidwait|pwait)": (r"", "procps-ng 3.3.17"),
    "sed": (r"--debug|--sandbox", "sed 4.3 and 4.6"),
    "grep": (r"--no-ignore-case", "grep 3.3"),
    "find": (r"-files0-from", "findutils 4.9"),
    "xargs": (r"-o|--open-tty", "findutils 4.7"),
    "tar": (r"--sort\S*|--zstd|--one-top-level\S*|--clamp-mtime|--set-mtime\S*", "tar 1.28 to 1.35"),
    "systemctl": (r"--value|--wait|--output=json\S*|-P|--with-dependencies|--legend=\S+", "systemd 230 and later"),
    "systemd-run": (r"--pipe|-P|--wait|--collect|-G|--same-dir|--working-directory\S*|-d", "systemd 232 to 240"),
    "journalctl": (r"-g|--grep\S*|--namespace\S*|--output-fields\S*", "systemd 236 to 245"),
    "curl": (
        r"--json|--fail-with-body|--connect-to|--retry-(connrefused|all-errors)|-Z|--parallel|--no-progress-meter"
        r"|--unix-socket|--path-as-is|--proto-default",
        "curl 7.40 to 7.82",
    ),
}
"""For each tool: options newer than CentOS 7.6, and their first version."""

_SHELL_WORDS = re.compile(
    r"(?m)^\s*(local|for|while|if|case|echo|printf|read|mapfile|return|shopt|exec|set) |\$\{?\w|; "
)


def shell_texts(source: Path) -> list[str]:
    """Return the texts of a module that may be shell: string constants without docstrings, with joined f-strings and
    joined continuation lines."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    docs = {
        id(body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and (body := node.body)
        and isinstance(body[0], ast.Expr)
    }
    texts: list[str] = []
    inner: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inner.update(id(value) for value in node.values)
            texts.append("".join(str(v.value) if isinstance(v, ast.Constant) else "X" for v in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not {id(node)} & (docs | inner):
            texts.append(node.value)
    return [text.replace("\\\n", " ") for text in texts if _SHELL_WORDS.search(text)]


def too_new(text: str) -> list[str]:
    features = [
        f"{since}: {match[0].strip()!r}" for shape, since in BASH.items() for match in re.finditer(shape, text, re.M)
    ]
    for tool, (options, since) in TOOLS.items():
        after = rf"(?:[^|;&)\n]*?\s)?(?:{options})(?![\w=-])" if options else ""
        shape = rf"(?m)(?:^|[;&|({{`]|\b(?:do|then|else|exec|limit \d+|timeout \d+|!)\s)\s*{tool}\s{after}"
        features += [f"{since}: {match[0].strip()!r}" for match in re.finditer(shape, text)]
    return features


def test_scripts_use_only_features_of_the_oldest_system() -> None:
    texts = {source: shell_texts(source) for source in SOURCES}
    assert sum(map(len, texts.values())) > 80, "the shell texts were found"
    too_new_by_file = {
        source.name: features
        for source, module_texts in texts.items()
        if (features := [n for text in module_texts for n in too_new(text)])
    }
    assert too_new_by_file == {}


def test_scripts_with_nounset_expand_no_arrays() -> None:
    """Before bash 4.4 the expansion of an empty "${array[@]}" fails under `set -u`."""
    for source in SOURCES:
        for text in shell_texts(source):
            nounset = re.search(r"\bset -\w*u", text)
            assert not (nounset and re.search(r"\$\{\w+\[[@*]\]\}", text)), source.name


@pytest.mark.parametrize(
    "text",
    [
        "echo ${x@Q}", "local -n ref=$1", "declare -An x", "wait -n", "mapfile -t -d '' rows", "now=$EPOCHSECONDS",
        "rows[-1]=x", "printf '%(%s)T\\n'", "shopt -s inherit_errexit", "local -", "[[ -v map[one] ]]",
        "echo 1; ip -j addr", "limit 3 ss -H -lnt", "x=$(env -C / ls)", "dd if=a of=b bs=1M status=progress",
        "sync /var/lib/file", "tar -x --one-top-level=a", "timeout 5 lsblk -o NAME --json", "setsid -f bash",
        "systemctl show -p X --value", "printf x | curl -sS --fail-with-body u", "head -n 1 -z",
    ],
)  # fmt: skip
def test_too_new_features_are_found(text: str) -> None:
    assert too_new(text)


@pytest.mark.parametrize(
    "text",
    [
        "echo ${rows[-1]} ${x^^}", "exec {fd}< <(date)", "local name=$1 n", "printf '%(%s)T\\n' -1", "wait $pid",
        "mapfile -t rows <file", "ip -o -4 route", "ss -lntp", "env -i ls", "sync", "dd if=a of=b conv=fdatasync",
        "[ -n \"${map[$1]}\" ]", "kill -9 $1", "find / -type f -o -type d", "declare -A map", "mount -o remount,ro /",
    ],
)  # fmt: skip
def test_old_features_are_not_reported(text: str) -> None:
    assert too_new(text) == []
