"""Runs a command as a process of its own and says what it took."""

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
LAUNCH = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class Run:
    """One run: seconds, seconds of all cores, bytes, and what it printed.

    `others_s` is the processor time that the rest of the machine used meanwhile:
    the gauge of how far the other numbers can be trusted.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    others_s: float
    printed: str

    def seconds_told(self):
        """The seconds that a peer measured itself."""
        return float(self.printed)


def run(command, out, env=None):
    """Runs a command to its end, with its stdout in the file `out`; it must succeed."""
    command = [os.fspath(part) for part in command]
    launch = [sys.executable, "-IS", LAUNCH, out, *command]
    told = json.loads(subprocess.run(launch, env=env, stdout=subprocess.PIPE, check=True).stdout)
    code = told.pop("code")
    if code != 0:
        raise SystemExit(f"exit {code}: {' '.join(command)}")
    return Run(**told, printed=Path(out).read_text(encoding="utf-8"))


def median(runs, number):
    """The median of one number over several runs."""
    return statistics.median(number(r) for r in runs)


def wall(run):
    return run.wall_s
