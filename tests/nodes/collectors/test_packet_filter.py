"""The collector of packet filter rules: which commands it runs, and what it makes of their output."""

from pathlib import Path

import pytest

from acp_tui.nodes.packet_filter.model import Action, PacketFilter
from tests.support.collector_shell import facts_of, put
from tests.support.packet_filters import chain, saved

FOLDERS = ("/proc/modules", "/proc/sys", "/proc/net", "/sys/module", "/lib/modules", "/etc/", "/var/")
RELEASE = "5.15.0-56-generic"
NO_NFT = {
    "/proc/modules": "ext4 1 0 - Live 0x0\n",
    "/sys/module/printk/version": "",
    "/proc/sys/kernel/osrelease": f"{RELEASE}\n",
    f"/lib/modules/{RELEASE}/modules.builtin": "kernel/fs/ext4/ext4.ko\n",
}
"""A kernel that has not loaded nf_tables."""
NFT = {**NO_NFT, "/sys/module/nf_tables/version": ""}
LEGACY = {"/proc/net/ip_tables_names": "filter\n"}
FORBIDDEN = "echo 'this command must not run' >&2; exit 9"


def prints(text: str) -> str:
    return f"printf '%s' '{text}'"


def collected(root: Path, files: dict[str, str], tools: dict[str, str]) -> PacketFilter:
    put(root, files)
    facts = facts_of("packet_filter", root, *FOLDERS, tools=tools)
    assert facts.packet_filter is not None, facts.missing
    return facts.packet_filter


def actions(found: PacketFilter) -> list[Action]:
    return [rule.action for each in found.chains for rule in each.rules]


DROP = saved("INPUT -p tcp -m tcp --dport 6443 -j DROP")


def test_no_command_runs_if_the_kernel_has_no_rules(tmp_path: Path) -> None:
    put(tmp_path, {"/bin/xtables-nft-multi": "", "/bin/xtables-legacy-multi": ""})
    tools = {"nft": FORBIDDEN, "xtables-nft-multi": FORBIDDEN, "xtables-legacy-multi": FORBIDDEN}
    links = {"iptables-save": "xtables-legacy-multi", "ip6tables-save": "xtables-nft-multi"}
    for name, target in links.items():
        (tmp_path / "bin" / name).symlink_to(target)
    assert collected(tmp_path, NO_NFT, tools) == PacketFilter()


def test_rules_of_nftables(tmp_path: Path) -> None:
    found = collected(tmp_path, NFT, {"nft": prints(chain("input", policy="drop"))})
    assert [each.policy for each in found.chains] == [Action.DROP]
    assert (found.tables, found.unread) == (("inet site",), ())


@pytest.mark.parametrize("files", [{}, {"/proc/modules": ""}, {**NO_NFT, f"/lib/modules/{RELEASE}/modules.builtin":
                                                               "kernel/net/netfilter/nf_tables.ko\n"}])  # fmt: skip
def test_nft_is_asked_if_the_kernel_can_have_its_rules(tmp_path: Path, files: dict[str, str]) -> None:
    assert collected(tmp_path, files, {"nft": prints(chain("input", "drop"))}).chains


def test_rules_of_iptables_legacy(tmp_path: Path) -> None:
    files = {**NO_NFT, **LEGACY, "/proc/net/ip6_tables_names": "filter\nnat\n"}
    tools = {"nft": FORBIDDEN, "iptables-legacy-save": prints(DROP), "ip6tables-legacy-save": prints(saved())}
    found = collected(tmp_path, files, tools)
    assert actions(found) == [Action.DROP]
    assert {(each.family, each.tool) for each in found.chains} == {
        ("ip", "iptables-legacy"),
        ("ip6", "ip6tables-legacy"),
    }
    assert found.unread == ()


def test_iptables_of_red_hat_7_has_one_variant(tmp_path: Path) -> None:
    put(tmp_path, {"/bin/x": ""})
    (tmp_path / "bin" / "iptables-save").symlink_to("xtables-multi")
    found = collected(tmp_path, {**NO_NFT, **LEGACY}, {"xtables-multi": prints(DROP)})
    assert (actions(found), found.unread) == ([Action.DROP], ())


def test_tables_of_iptables_without_the_command_that_lists_them(tmp_path: Path) -> None:
    put(tmp_path, {"/bin/x": ""})
    (tmp_path / "bin" / "iptables-save").symlink_to("xtables-nft-multi")
    found = collected(tmp_path, {**NO_NFT, **LEGACY}, {"xtables-nft-multi": FORBIDDEN})
    assert "iptables-legacy-save is not installed" in " ".join(found.unread)


def test_a_script_named_iptables_save_is_always_asked(tmp_path: Path) -> None:
    found = collected(tmp_path, NO_NFT, {"iptables-save": prints(DROP), "ip6tables-save": prints("")})
    assert (actions(found), found.unread) == ([Action.DROP], ())


def test_tables_that_iptables_manages_are_read_with_iptables(tmp_path: Path) -> None:
    listed = chain("INPUT", "# xt_tcp counter packets 0 bytes 0 drop", family="ip").replace("site", "filter")
    tools = {"nft": prints(listed + chain("input")), "iptables-nft-save": prints(DROP)}
    found = collected(tmp_path, NFT, tools)
    assert actions(found) == [Action.DROP]
    assert {(each.tool, each.table) for each in found.chains} == {("iptables-nft", "filter"), ("nft", "site")}


def test_iptables_that_fails_does_not_matter_if_nft_lists_the_same_rules(tmp_path: Path) -> None:
    listed = chain("INPUT", "tcp dport 6443 drop", family="ip").replace("site", "filter")
    failing = "echo '*filter'; echo 'iptables v1.8.10 (nf_tables): Parsing nftables rule failed'; exit 1"
    found = collected(tmp_path, NFT, {"nft": prints(listed), "iptables-nft-save": failing})
    assert (actions(found), found.unread) == ([Action.DROP], ())


@pytest.mark.parametrize(
    ("tool", "reason"),
    [
        ("echo 'Operation not permitted (you must be root)' >&2; exit 1", "you must be root"),
        ("echo 'netlink: Error: cache initialization failed' >&2", "cache initialization failed"),
        ("echo 'table inet x {'; echo 'chain y {'", "table inet x"),
        ("exit 3", "3"),
    ],
)
def test_odd_output_of_nft_is_no_empty_list(tmp_path: Path, tool: str, reason: str) -> None:
    found = collected(tmp_path, NFT, {"nft": tool})
    assert found.chains == ()
    assert reason in " ".join(found.unread)


def test_services_of_kubernetes_do_not_make_the_list_too_long(tmp_path: Path) -> None:
    services = "".join(
        f"-A KUBE-SERVICES -d 10.96.{n // 256}.{n % 256}/32 -p tcp -m comment --comment ns/svc -j KUBE-SVC-{n:016}\n"
        f"-A KUBE-SVC-{n:016} -j KUBE-SEP-{n:016}\n-A KUBE-SEP-{n:016} -p tcp -j DNAT --to-destination 10.3.0.9:80\n"
        for n in range(2500)
    )
    names = "".join(f":KUBE-SVC-{n:016} - [0:0]\n:KUBE-SEP-{n:016} - [0:0]\n" for n in range(2500))
    chains = f":PREROUTING ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n{names}"
    text = f"*nat\n{chains}-A PREROUTING -j KUBE-SERVICES\n{services}COMMIT\n"
    put(tmp_path, {"/rules": text})
    found = collected(tmp_path, {**NO_NFT, **LEGACY}, {"iptables-legacy-save": f"echo; cat {tmp_path}/rules"})
    assert found.unread == ()
    assert found.chain_prefixes == ("KUBE-",)


def test_a_list_that_is_too_long_is_named(tmp_path: Path) -> None:
    put(tmp_path, {"/rules": chain("input", *(f"ip saddr 203.0.{n // 256}.{n % 256} drop" for n in range(12_000)))})
    found = collected(tmp_path, NFT, {"nft": f"cat {tmp_path}/rules"})
    assert (found.chains, "too long" in " ".join(found.unread)) == ((), True)


def test_prefixes_of_the_chains_show_who_added_them(tmp_path: Path) -> None:
    names = ("cali-INPUT", "CILIUM_FORWARD", "FLANNEL-FWD", "DOCKER", "f2b-sshd", "KUBE-FORWARD", "WEAVE-NPC")
    found = collected(
        tmp_path, {**NO_NFT, **LEGACY}, {"iptables-legacy-save": prints(saved(**dict.fromkeys(names, "-")))}
    )
    assert found.chain_prefixes == ("CILIUM_", "DOCKER", "FLANNEL-", "KUBE-", "WEAVE-", "cali-", "f2b-")


def test_scripts_that_add_rules_at_boot(tmp_path: Path) -> None:
    files = {
        **NFT,
        "/etc/rc.local": "#!/bin/sh\n# nft -f /etc/old\n  nft -f /etc/site.nft\n",
        "/etc/cron.d/backup": "@reboot root /usr/bin/backup\n",
        "/etc/systemd/system/rules.service": "[Service]\nExecStart=/usr/sbin/iptables-restore /etc/rules\n",
        "/etc/network/if-up.d/rules": "#!/bin/sh\n#iptables -P INPUT DROP\n",
    }
    found = collected(tmp_path, files, {"nft": prints(chain("input", policy="drop"))})
    assert found.boot_files == ("/etc/rc.local", "/etc/systemd/system/rules.service")
    assert collected(tmp_path, files, {"nft": prints("")}).boot_files == ()


def test_rule_files_of_units_that_block_nothing(tmp_path: Path) -> None:
    files = {
        **NO_NFT,
        "/etc/nftables.conf": "flush ruleset\ntable inet filter {\n\t# drop nothing\n\tchain input { }\n}\n",
        "/etc/sysconfig/iptables": "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j REJECT\nCOMMIT\n",
        "/etc/sysconfig/nftables.conf": 'include "/etc/nftables/main.nft"\n',
    }
    assert collected(tmp_path, files, {}).harmless_files == ()
    with_chain = {"iptables-legacy-save": prints(saved())}
    assert collected(tmp_path, {**files, **LEGACY}, with_chain).harmless_files == ("/etc/nftables.conf",)
    empty = {"/etc/nftables.conf": "#!/usr/sbin/nft -f\n\nflush ruleset\n"}
    (tmp_path / "proc/net/ip_tables_names").unlink()
    assert collected(tmp_path, {**files, **empty}, {}).harmless_files == ("/etc/nftables.conf",)


def test_contents_of_sets_that_rules_name(tmp_path: Path) -> None:
    rules = saved("INPUT -m set --match-set bad src -j DROP")
    tools = {
        "iptables-legacy-save": prints(rules),
        "ipset": prints("create bad hash:net family inet\nadd bad 203.0.113.0/24 timeout 3\n"),
    }
    found = collected(tmp_path, {**NO_NFT, **LEGACY}, tools)
    [rule] = [rule for each in found.chains for rule in each.rules]
    assert rule.matches[0].ranges == ((3405803776, 3405804031),)
