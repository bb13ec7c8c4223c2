#!/usr/bin/env python3
"""The peers: what else one could load the same lines with.

    benches/peers.py duckdb-load   LOAD STORE    typed table, both cores
    benches/peers.py duckdb-rollup LOAD STORE    exact minute, hour and day tables, after duckdb-load
    benches/peers.py duckdb-p95    LOAD STORE    24 h of p95 a minute of one provider, after duckdb-load
    benches/peers.py sqlite3-load  LOAD STORE    json.loads and executemany, one index on time
    benches/peers.py command-load  LOAD STORE    the sqlite3 command: .import of lines, then columns, one index on time
    benches/peers.py utils-load    LOAD STORE    sqlite-utils insert --nl --alter

Prints the seconds of the work alone, without starting Python. Nothing here
removes duplicates, keeps a sum exact or survives a power cut between two rows:
each peer does less than `obs` does, in its own best way.
"""

import json
import os
import sqlite3
import subprocess
import sys
import time

COLUMNS = {
    "id": "VARCHAR",
    "type": "VARCHAR",
    "timestamp": "BIGINT",
    "provider": "VARCHAR",
    "model": "VARCHAR",
    "user_id": "VARCHAR",
    "latency": "DOUBLE",
    "success": "BOOLEAN",
    "input_tokens": "BIGINT",
    "output_tokens": "BIGINT",
    "total_tokens": "BIGINT",
    "cost": "DOUBLE",
    "error_type": "VARCHAR",
    "error_message": "VARCHAR",
    "status_code": "INTEGER",
    "event": "VARCHAR",
    "saved_tokens": "BIGINT",
    "rate_limit_type": "VARCHAR",
    "limit": "BIGINT",
    "remaining": "BIGINT",
    "reset_at": "BIGINT",
    "metadata": "STRUCT(endpoint VARCHAR, region VARCHAR)",
}
TIERS = {"minutes": 60_000, "hours": 3_600_000, "days": 86_400_000}


def duckdb_open(store):
    import duckdb  # only these peers need it

    connection = duckdb.connect(store)
    connection.execute(f"SET threads = {os.cpu_count()}")
    connection.execute("SET preserve_insertion_order = false")
    return connection


def duckdb_load(load, store):
    connection = duckdb_open(store)
    columns = ", ".join(f"\"{name}\": '{kind}'" for name, kind in COLUMNS.items())
    started = time.perf_counter()
    connection.execute(
        f"CREATE TABLE event AS FROM read_json('{load}', format = 'newline_delimited', columns = {{{columns}}})"
    )
    connection.execute("CHECKPOINT")
    return time.perf_counter() - started


def duckdb_rollup(_, store):
    connection = duckdb_open(store)
    started = time.perf_counter()
    for table, length_ms in TIERS.items():
        connection.execute(
            f"""CREATE OR REPLACE TABLE {table} AS
            SELECT "timestamp" // {length_ms} AS bucket, provider, model,
                count(*) FILTER (type = 'request') AS requests,
                count(*) FILTER (type = 'request' AND NOT success) AS failures,
                avg(latency) FILTER (type = 'request') AS latency_avg,
                min(latency) FILTER (type = 'request') AS latency_min,
                max(latency) FILTER (type = 'request') AS latency_max,
                quantile_disc(latency, [0.5, 0.95, 0.99]) FILTER (type = 'request') AS percentiles,
                sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens, sum(cost) AS cost,
                count(*) FILTER (type = 'cache' AND event = 'hit') AS cache_hits,
                count(*) FILTER (type = 'cache' AND event = 'miss') AS cache_misses,
                count(*) FILTER (type = 'rate_limit' AND event = 'denied') AS denied
            FROM event GROUP BY ALL"""
        )
    connection.execute("CHECKPOINT")
    return time.perf_counter() - started


def duckdb_p95(_, store):
    connection = duckdb_open(store)
    started = time.perf_counter()
    connection.execute(
        """SELECT "timestamp" // 60000 AS minute, quantile_disc(latency, 0.95) FROM event
        WHERE type = 'request' AND provider = 'claude'
        AND "timestamp" >= (SELECT max("timestamp") FROM event) - 86400000
        GROUP BY minute ORDER BY minute"""
    ).fetchall()
    return time.perf_counter() - started


def sqlite3_load(load, store):
    names = list(COLUMNS)
    connection = sqlite3.connect(store)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    quoted = ", ".join(f'"{name}"' for name in names)
    connection.execute(f"CREATE TABLE event ({quoted})")
    connection.execute('CREATE INDEX event_time ON event("timestamp")')

    def rows():
        with open(load, encoding="utf-8") as lines:
            for line in lines:
                event = json.loads(line)
                if "metadata" in event:
                    event["metadata"] = json.dumps(event["metadata"])
                yield [event.get(name) for name in names]

    started = time.perf_counter()
    with connection:
        marks = ", ".join("?" * len(names))
        connection.executemany(f"INSERT INTO event VALUES ({marks})", rows())
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return time.perf_counter() - started


def command_load(load, store):
    columns = ", ".join(f"line ->> '{name}' AS \"{name}\"" for name in COLUMNS)
    script = f"""PRAGMA journal_mode = WAL;
        CREATE TEMP TABLE lines(line TEXT);
        .mode ascii
        .separator "\\037" "\\n"
        .import "{load}" lines
        CREATE TABLE event AS SELECT {columns} FROM lines;
        CREATE INDEX event_time ON event("timestamp");"""
    script = "\n".join(line.strip() for line in script.splitlines())
    started = time.perf_counter()
    subprocess.run(["sqlite3", "-bail", store], input=script, text=True, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def utils_load(load, store):
    command = [sys.executable, "-m", "sqlite_utils", "insert", store, "event", load, "--nl", "--alter", "--silent"]
    started = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - started


PEERS = {
    "duckdb-load": duckdb_load,
    "duckdb-rollup": duckdb_rollup,
    "duckdb-p95": duckdb_p95,
    "sqlite3-load": sqlite3_load,
    "command-load": command_load,
    "utils-load": utils_load,
}

if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in PEERS:
        sys.exit(__doc__)
    print(PEERS[sys.argv[1]](*sys.argv[2:]))
