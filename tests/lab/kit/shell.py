"""Shell text that changes the files and services of a lab node. Faults are made of it."""

BOOT_FILES = "/etc/default/grub $(find /boot -type f)"


def write(path: str, text: str) -> str:
    """Return shell text that writes `text` to `path` in place, because a mounted file cannot be replaced."""
    return f"cat >{path} <<'END_OF_FILE'\n{text.rstrip()}\nEND_OF_FILE"


def append(path: str, line: str) -> str:
    return f"cat >>{path} <<'END_OF_FILE'\n{line}\nEND_OF_FILE"


def without_parameter(parameter: str) -> str:
    """Return shell text that removes a parameter from the command line of the running kernel."""
    return f'line=$(</proc/cmdline); echo "${{line/ {parameter}/}}" >/proc/cmdline'


def with_parameter(parameter: str) -> str:
    """Return shell text that adds a parameter to the command line of the running kernel."""
    return f'line=$(</proc/cmdline); echo "$line {parameter}" >/proc/cmdline'


def unit(name: str, active: str, enabled: str) -> str:
    """Return shell text that sets the answers of `systemctl is-active` and `is-enabled` for a unit."""
    return f"echo '{active} {enabled}' >/usr/lib/lab/units/{name}"


def unload(module: str) -> str:
    """Return shell text that hides a module. Some host kernels have only /sys/module, not /proc/modules."""
    return (
        f"rmdir /sys/module/{module}; if [ -e /proc/modules ]; then "
        f"left=$(grep -v '^{module} ' /proc/modules); echo \"$left\" >/proc/modules; fi"
    )


def resolv_conf(text: str) -> str:
    return write("/etc/resolv.conf", text)


def listen(*ports: int) -> str:
    """Return shell text that opens real listeners: a second sshd without a purpose."""
    options = " ".join(f"-o Port={port}" for port in ports)
    return (
        f"/usr/sbin/sshd -f /dev/null -h /etc/ssh/ssh_host_ed25519_key {options} -o PidFile=/run/busy.pid; "
        "until [ -s /run/busy.pid ]; do sleep 0.01; done"
    )


def dpkg(name: str, status: str = "install ok installed", about: str = "a package") -> str:
    return append(
        "/var/lib/dpkg/status",
        f"Package: {name}\nStatus: {status}\nArchitecture: amd64\nVersion: 1.0-1\nDescription: {about}\n",
    )


def new_file(path: str, *lines: str) -> str:
    """Return shell text that writes a file and creates its folder."""
    return f"mkdir -p {path.rpartition('/')[0]}; " + write(path, "\n".join(lines))


def kernel_release(release: str, build: str = "") -> str:
    """Return shell text that sets the release of the kernel and, with `build`, its build, as `uname` prints them."""
    text = f"echo {release} >/proc/sys/kernel/osrelease"
    return f"{text}; echo '{build}' >/proc/sys/kernel/version" if build else text


def program(path: str, *lines: str) -> str:
    """Return shell text that writes an executable script for bash."""
    return f"{new_file(path, '#!/bin/bash', *lines)}\nchmod +x {path}"


def selinux(enforce: int | None, *config: str) -> str:
    """Return shell text that sets SELinux now (None: not in the kernel), and in its configuration for the next boot."""
    live = f"mkdir /sys/fs/selinux; echo {enforce} >/sys/fs/selinux/enforce; " if enforce is not None else ""
    return live + new_file("/etc/selinux/config", *config)
