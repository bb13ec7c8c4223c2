#!/usr/bin/env python3
"""Measures each promise and its peers in turn; started by scripts/bench."""

import argparse
import importlib.metadata
import json
import os
import platform
import shlex
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from measure import MIB, median, run, wall

PROJECT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", PROJECT / "target")).resolve()
MINUTE_MS = 60_000


@dataclass(frozen=True)
class Promise:
    """A line of the table: `value` is held against `must` and `aim`."""

    name: str
    must: float
    aim: float
    value: float
    measured: str
    peer: str
    shown: str = "{:.2f}"
    at_least: bool = False

    def verdict(self):
        def kept(limit):
            return self.value >= limit if self.at_least else self.value <= limit

        return "aim" if kept(self.aim) else "must" if kept(self.must) else "MISSED"

    def cells(self):
        sign = ">= " if self.at_least else "<= "
        must, aim = (sign + self.shown.format(limit) for limit in (self.must, self.aim))
        return [self.name, must, aim, self.measured, self.peer, self.shown.format(self.value), self.verdict()]


class Bench:
    """The load, the programs, a folder to work in, and all that was measured there."""

    def __init__(self, args):
        self.runs = args.runs
        self.obs = Path(args.obs).resolve() if args.obs else TARGET / "release" / "obs"
        self.folder = TARGET / "bench"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.load = Path(args.load).resolve() if args.load else self.made_load(args.events)
        self.events, self.end_ms = count_and_end(self.load)
        self.last_lines = last_lines(self.load)
        self.done = {}
        self.peers = []
        for name in ("raw", "rolled", "duck"):
            self.fresh(name)
        os.chdir(self.folder)

    def made_load(self, events):
        """The load of that many events, made once."""
        path = self.folder / f"load-{events}.jsonl"
        if not path.exists():
            part = path.with_suffix(".part")
            subprocess.run([sys.executable, PROJECT / "benches/load.py", str(events), part], check=True)
            part.rename(path)
        return path

    def store(self, name):
        return self.folder / f"{name}.db"

    def fresh(self, name, like=None):
        """The path of a store that does not exist, or is a copy of another one."""
        path = self.store(name)
        for old in self.folder.glob(f"{name}.db*"):
            old.unlink()
        if like is not None:
            shutil.copyfile(self.store(like), path)
        return path

    def note(self, label, result):
        self.done.setdefault(label, []).append(result)
        return result

    def ask(self, label, store, *args, now_ms=None):
        """Runs `obs` on a store, at the end of the load unless told otherwise."""
        env = {
            "HOME": str(self.folder),
            "TZ": "UTC",
            "OBS_DB": str(store),
            "OBS_NOW": rfc3339(self.end_ms if now_ms is None else now_ms),
        }
        return self.note(label, run([self.obs, *args], self.folder / "out", env))

    def peer(self, name, store):
        """Runs one of the peers on the load."""
        command = [sys.executable, PROJECT / "benches/peers.py", name, self.load, store]
        return self.note(name, run(command, self.folder / "out"))

    def sqlite_alone(self, store, new):
        command = [TARGET / "release/examples/sqlite_alone", self.load, store, new]
        return self.note("sqlite-alone", run(command, self.folder / "out"))

    def ingested(self):
        """A store that holds the load, made by the ingest bench or now."""
        if not self.store("raw").exists():
            self.ask("ingest", self.fresh("raw"), "ingest", self.load)
        return "raw"

    def rolled_up(self):
        """A store that holds the load, rolled up."""
        if not self.store("rolled").exists():
            self.ask("rollup", self.fresh("rolled", like=self.ingested()), "rollup")
        return "rolled"


def ingest(bench):
    ours, alone, duck = [], [], []
    for _ in range(bench.runs):
        ours.append(bench.ask("ingest", bench.fresh("raw"), "ingest", bench.load))
        alone.append(bench.sqlite_alone(bench.store("raw"), bench.fresh("alone")))
        duck.append(bench.peer("duckdb-load", bench.fresh("duck")))
    bench.peer("sqlite3-load", bench.fresh("python"))
    ours_s, duck_s = median(ours, wall), median(duck, wall)
    alone_s = median(alone, lambda r: r.seconds_told())
    peak = median(ours, lambda r: r.peak_bytes) / MIB
    size = sum(f.stat().st_size for f in bench.folder.glob("raw.db*")) / bench.events
    yield Promise("ingest: share of the speed of SQLite alone", 0.50, 0.75, alone_s / ours_s,
                  f"{ours_s:.2f} s", f"SQLite alone {alone_s:.2f} s", at_least=True)
    yield Promise("ingest: times as long as DuckDB's typed load", 1.5, 1.0, ours_s / duck_s,
                  f"{ours_s:.2f} s", f"DuckDB {duck_s:.2f} s")
    yield Promise("ingest: peak memory, MiB", 64, 32, peak, f"{peak:.0f} MiB",
                  f"DuckDB {median(duck, lambda r: r.peak_bytes) / MIB:.0f} MiB", "{:.0f}")
    yield Promise("store: bytes an event before roll-up", 95, 75, size, f"{size:.1f} B",
                  f"DuckDB {bench.store('duck').stat().st_size / bench.events:.1f} B", "{:.1f}")


def rollup(bench):
    raw = bench.ingested()
    if not bench.store("duck").exists():
        bench.peer("duckdb-load", bench.fresh("duck"))
    ours, duck = [], []
    for _ in range(bench.runs):
        ours.append(bench.ask("rollup", bench.fresh("rolled", like=raw), "rollup"))
        duck.append(bench.peer("duckdb-rollup", bench.store("duck")))
    ours_s, duck_s = median(ours, wall), median(duck, lambda r: r.seconds_told())
    yield Promise("roll-up of all: times as long as DuckDB's exact tiers", 3.0, 1.5, ours_s / duck_s,
                  f"{ours_s:.2f} s", f"DuckDB {duck_s:.2f} s, in process")


def next_minute(bench):
    store = bench.fresh("minute", like=bench.rolled_up())
    ours = []
    for number in range(21):
        start_ms = bench.end_ms + number * MINUTE_MS
        with open("minute.jsonl", "w", encoding="ascii") as out:
            out.writelines(a_minute(bench, start_ms))
        after_ms = start_ms + MINUTE_MS
        bench.ask("ingest of a minute", store, "ingest", "minute.jsonl", now_ms=after_ms)
        ours.append(bench.ask("rollup of a minute", store, "rollup", now_ms=after_ms))
    ms = median(ours, wall) * 1e3
    yield Promise("roll-up of one more minute, ms", 15, 5, ms, f"{ms:.1f} ms", "", "{:.1f}")


def questions(bench):
    store = bench.store(bench.rolled_up())
    if not bench.store("duck").exists():
        bench.peer("duckdb-load", bench.fresh("duck"))
    query = ["query", 'p95_latency{provider="claude"}', "--since", "24h", "--step", "1m", "--json"]
    series, stats, duck = [], [], []
    for number in range(21):
        series.append(bench.ask("query of 24 h", store, *query))
        stats.append(bench.ask("stats of 24 h", store, "stats", "--since", "24h", "--json"))
        if number < bench.runs:
            duck.append(bench.peer("duckdb-p95", bench.store("duck")))
    series_ms, stats_ms = median(series, wall) * 1e3, median(stats, wall) * 1e3
    duck_ms = median(duck, lambda r: r.seconds_told()) * 1e3
    yield Promise("24 h of p95 a minute of one provider, ms", 25, 10, series_ms, f"{series_ms:.1f} ms",
                  f"DuckDB {duck_ms:.1f} ms, in process", "{:.1f}")
    yield Promise("stats of 24 h over all, ms", 25, 10, stats_ms, f"{stats_ms:.1f} ms", "", "{:.1f}")


def start(bench):
    empty = bench.folder / "empty"
    subprocess.run(["rustc", "-O", "--crate-name", "empty", "-o", empty, "-"], input=b"fn main() {}", check=True)
    store = bench.fresh("small")
    bench.ask("init", store, "init")
    commands = {"--version": [], "stats": [], "retention show": [], "query requests": []}
    nothing = []
    for _ in range(51):
        nothing.append(bench.note("empty binary", run([empty], bench.folder / "out")))
        for command, runs in commands.items():
            runs.append(bench.ask(f"start of {command}", store, *command.split()))
    slowest = max(commands, key=lambda c: median(commands[c], wall))
    empty_ms = median(nothing, wall) * 1e3
    extra_ms = median(commands[slowest], wall) * 1e3 - empty_ms
    yield Promise("start-up over an empty binary, ms", 5, 1.5, extra_ms, f"{extra_ms:+.1f} ms (obs {slowest})",
                  f"empty binary {empty_ms:.1f} ms", "{:.1f}")


def peers(bench):
    """Loads the same lines with whatever is at hand; a peer that is missing is told."""
    loads = [
        (f"obs {told_version([bench.obs, '--version'])}", None),
        (f"DuckDB {installed('duckdb')}", "duckdb-load"),
        (f"Python's sqlite3, SQLite {sqlite3.sqlite_version}", "sqlite3-load"),
        (f"sqlite3 command {told_version(['sqlite3', '--version'])}", "command-load"),
        (f"sqlite-utils {installed('sqlite-utils')}", "utils-load"),
    ]
    first_s = None
    for name, peer in loads:
        if name.endswith(MISSING):
            bench.peers.append([name, "", "", "", "", ""])
            continue
        store = bench.fresh(peer or "raw")
        taken = bench.peer(peer, store) if peer else bench.ask("ingest", store, "ingest", bench.load)
        first_s = first_s or taken.wall_s
        size = sum(file.stat().st_size for file in bench.folder.glob(f"{store.name}*"))
        bench.peers.append([
            name,
            f"{taken.wall_s:.2f}",
            f"{taken.wall_s / first_s:.1f}",
            f"{bench.events / taken.wall_s / 1e3:.0f}",
            f"{taken.peak_bytes / MIB:.0f}",
            f"{size / bench.events:.1f}",
        ])
        if peer not in (None, "duckdb-load"):
            bench.fresh(peer)
    return ()


MISSING = "is not here"


def installed(package):
    """The version of a Python package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return MISSING


def told_version(command):
    """What a program says of its version."""
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return MISSING
    return next(word for word in told.split() if word[0].isdigit())


def long_ingest(bench):
    """Ten times the events take no more memory; only with --long."""
    load = bench.made_load(10 * bench.events)
    taken = bench.ask("ingest of ten times", bench.fresh("long"), "ingest", load)
    peak = taken.peak_bytes / MIB
    rate = f"{10 * bench.events / taken.wall_s / 1e3:.0f} k events/s"
    yield Promise("ingest of ten times: peak memory, MiB", 64, 32, peak, f"{peak:.0f} MiB, {rate}", "", "{:.0f}")


BENCHES = {
    "ingest": ingest,
    "rollup": rollup,
    "minute": next_minute,
    "questions": questions,
    "start": start,
    "peers": peers,
    "long": long_ingest,
}


def a_minute(bench, start_ms):
    """The last events of the load again, as many as a minute has, under new names and times."""
    count = max(1, bench.events * MINUTE_MS // (7 * 86_400_000))
    for number, line in enumerate(bench.last_lines[-count:]):
        event = json.loads(line)
        event["id"] = f"again-{start_ms}-{number}"
        event["timestamp"] = start_ms + number * MINUTE_MS // count
        yield json.dumps(event) + "\n"


def count_and_end(load):
    """How many events the load has, and the full minute after its last one."""
    with open(load, "rb") as lines:
        events = sum(block.count(b"\n") for block in iter(lambda: lines.read(1 << 24), b""))
    last_ms = max(json.loads(line)["timestamp"] for line in last_lines(load))
    return events, (last_ms // MINUTE_MS + 1) * MINUTE_MS


def last_lines(load, size=1 << 20):
    with open(load, "rb") as lines:
        lines.seek(max(0, os.path.getsize(load) - size))
        return lines.read().splitlines()[1:]


def rfc3339(at_ms):
    at = datetime.fromtimestamp(at_ms / 1000, timezone.utc)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def markdown(head, rows):
    rows = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def details(bench):
    """What was measured, a line for each command."""
    for label, runs in bench.done.items():
        walls = sorted(map(wall, runs))
        yield [
            label,
            str(len(runs)),
            f"{median(runs, wall):.4f}",
            f"{walls[0]:.4f} .. {walls[-1]:.4f}",
            f"{median(runs, lambda r: r.cpu_s):.4f}",
            f"{median(runs, lambda r: r.peak_bytes) / MIB:.1f}",
            f"{median(runs, lambda r: r.others_s):.2f}",
        ]


def report(bench, promises):
    commit = subprocess.run(["git", "-C", PROJECT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    loads = ["the same lines loaded by", "s", "times obs", "k events/s", "peak, MiB", "bytes an event"]
    return "\n".join([
        f"## {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC, {commit.stdout.strip() or 'no commit'}\n",
        f"`{shlex.join(['scripts/bench', *map(os.path.basename, sys.argv[1:])])}` on {machine()}; "
        f"{bench.events:,} events; DuckDB {importlib.metadata.version('duckdb')}.\n",
        markdown(["promise", "must", "aim", "measured", "peer", "value", "kept"], [p.cells() for p in promises]),
        *([markdown(loads, bench.peers)] if bench.peers else []),
        markdown(["command", "runs", "wall, s", "from .. to", "CPU, s", "peak, MiB", "others' CPU, s"], details(bench)),
    ])


def machine():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            names = [line.split(":")[1].strip() for line in info if line.startswith("model name")]
    except OSError:
        names = []
    return f"{os.cpu_count()} cores of {names[0] if names else platform.processor()}, {platform.system()}"


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure each promise beside its peers")
    parser.add_argument("--events", type=int, default=1_000_000, help="events in the load (default 1,000,000)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each long command (default 5)")
    parser.add_argument("--only", action="append", choices=BENCHES, help="only this bench; may be repeated")
    parser.add_argument("--load", help="a load file to use instead of a made one")
    parser.add_argument("--obs", help="the binary to measure (default: the release build)")
    parser.add_argument("--long", action="store_true", help="also ingest ten times the events")
    parser.add_argument("--no-record", action="store_true", help="leave benches/RESULTS.md alone")
    args = parser.parse_args()
    bench = Bench(args)
    names = args.only or [name for name in BENCHES if name != "long" or args.long]
    promises = []
    for name in names:
        print(f"==> {name}", file=sys.stderr)
        promises.extend(BENCHES[name](bench))
    text = report(bench, promises)
    print(text)
    if not args.no_record:
        with open(PROJECT / "benches/RESULTS.md", "a", encoding="utf-8") as results:
            results.write("\n" + text)


if __name__ == "__main__":
    main()
