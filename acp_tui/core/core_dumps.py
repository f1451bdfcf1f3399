"""Prevent core dumps of this process, because its memory has secrets."""

import ctypes
import os
import resource

_PR_SET_DUMPABLE = 4  # linux/prctl.h


def forbid_core_dumps() -> None:
    """Prevent that the kernel writes the memory of this process to a core file, or passes it to a core dump handler.

    Other processes of the same user then cannot read the memory either, unless the user is root. Child processes
    inherit only the limit of the core file size: gpg can hold secrets too, and setup.sh needs no core files.
    Raises: OSError."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The kernel ignores the limit if core dumps go to a program, such as systemd-coredump.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
