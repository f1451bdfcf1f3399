"""The memory of a process with secrets is never written to disk."""

import os
import signal
import subprocess
import sys

_PROGRAM = """\
import ctypes, resource, signal
import acp_tui.__main__ as program

hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

def run_command():
    print(ctypes.CDLL(None).prctl(3), flush=True)  # PR_GET_DUMPABLE
    print(*resource.getrlimit(resource.RLIMIT_CORE), flush=True)
    signal.pause()

program.run_command = run_command
program.main()
"""


def test_command_that_crashes_leaves_no_core_dump() -> None:
    with subprocess.Popen([sys.executable, "-c", _PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        assert process.stdout.readline() == "0 0\n"
        process.send_signal(signal.SIGSEGV)
        ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        assert (ended.si_code, ended.si_status) == (os.CLD_KILLED, signal.SIGSEGV)
