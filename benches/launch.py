"""Starts a command, waits for its end and prints, as JSON, what it took.

    python -IS launch.py OUT COMMAND...

A process of its own because the system counts a child's peak memory from the
size of its parent: this one is as small as Python gets, and imports no more
than it needs. The clock runs only while the command does.
"""

import os
import sys
import time


def machine_cpu_s():
    """Processor time that the whole machine has used, in seconds; 0 where it does not tell."""
    try:
        with open("/proc/stat", encoding="ascii") as stat:
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    except OSError:
        return 0.0
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


out, *command = sys.argv[1:]
redirect = [
    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
]
busy = machine_cpu_s()
started = time.perf_counter()
child = os.posix_spawn(command[0], command, os.environ, file_actions=redirect)
_, status, used = os.wait4(child, 0)
wall_s = time.perf_counter() - started
cpu_s = used.ru_utime + used.ru_stime
others_s = max(0.0, machine_cpu_s() - busy - cpu_s)
peak_bytes = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(
    f'{{"code": {os.waitstatus_to_exitcode(status)}, "wall_s": {wall_s}, "cpu_s": {cpu_s}, '
    f'"peak_bytes": {peak_bytes}, "others_s": {others_s}}}'
)
