#!/usr/bin/env python3
"""Writes a week of made-up LLM traffic as JSON lines, the load of the benches.

    benches/load.py EVENTS FILE [--seed 7] [--until 2026-03-08T00:00:00Z]

90 % requests (2 % of them failed), 5 % cache, 5 % rate limit; 6 providers, 20
models, 500 users of whom few are busy; days are busier than nights; 5 % of the
lines come late, by up to half an hour. The same arguments give the same bytes.
"""

import argparse
import bisect
import heapq
import itertools
import math
import random
from dataclasses import dataclass
from datetime import datetime

DAYS = 7
LATE_SHARE = 0.05
LATE_MEAN_MS = 60_000
LATE_MOST_MS = 30 * 60_000
USERS = 500
REGIONS = ["eu-west", "eu-north", "us-east", "us-west", "ap-south"]


@dataclass(frozen=True)
class Model:
    """A model as its users see it; money in dollars per million tokens."""

    provider: str
    name: str
    share: float
    latency_ms: int
    input_tokens: int
    output_tokens: int
    input_usd: float
    output_usd: float


MODELS = [
    Model("claude", "claude-sonnet-4", 17, 2100, 2400, 400, 3.0, 15.0),
    Model("claude", "claude-haiku-4", 13, 800, 1500, 250, 1.0, 5.0),
    Model("claude", "claude-opus-4", 5, 4000, 3000, 550, 15.0, 75.0),
    Model("claude", "claude-3-haiku", 2, 700, 1200, 220, 0.25, 1.25),
    Model("openai", "gpt-4.1", 10, 1500, 2000, 340, 2.0, 8.0),
    Model("openai", "gpt-4.1-mini", 9, 800, 1500, 270, 0.4, 1.6),
    Model("openai", "gpt-4.1-nano", 4, 450, 1000, 200, 0.1, 0.4),
    Model("openai", "o4-mini", 5, 3200, 2200, 900, 1.1, 4.4),
    Model("openai", "o3", 2, 6500, 2300, 1300, 2.0, 8.0),
    Model("gemini", "gemini-2.5-pro", 6, 3000, 4000, 700, 1.25, 10.0),
    Model("gemini", "gemini-2.5-flash", 8, 650, 2300, 330, 0.3, 2.5),
    Model("gemini", "gemini-2.5-flash-lite", 3, 400, 1700, 240, 0.1, 0.4),
    Model("groq", "llama-3.3-70b", 3, 300, 1100, 250, 0.59, 0.79),
    Model("groq", "llama-3.1-8b", 3, 150, 900, 200, 0.05, 0.08),
    Model("groq", "qwen3-32b", 1, 420, 1200, 350, 0.29, 0.59),
    Model("mistral", "mistral-large", 3, 1600, 1500, 320, 2.0, 6.0),
    Model("mistral", "mistral-small", 2, 550, 1100, 230, 0.1, 0.3),
    Model("mistral", "codestral", 1, 600, 1800, 300, 0.3, 0.9),
    Model("openrouter", "deepseek/deepseek-v3", 2, 2200, 1800, 390, 0.28, 0.88),
    Model("openrouter", "moonshotai/kimi-k2", 1, 1900, 1900, 410, 0.6, 2.5),
]
ENDPOINTS = {
    "claude": "/v1/messages",
    "openai": "/v1/responses",
    "gemini": "/v1beta/models:generateContent",
    "groq": "/openai/v1/chat/completions",
    "mistral": "/v1/chat/completions",
    "openrouter": "/api/v1/chat/completions",
}
FAILURES = [
    ("rate_limit", 429, "too many requests, retry in {} ms"),
    ("timeout", 504, "no answer from upstream within {} ms"),
    ("overloaded", 529, "the model is overloaded, {} calls are waiting"),
    ("invalid_response", 502, "the answer broke off after {} bytes"),
    ("auth_failed", 401, "key number {} is not valid"),
    ("network_error", 0, "connection reset after {} bytes"),
]


def arrivals(events, until_ms, rng):
    """The moments of the events, in order: one a slot of equal expected traffic."""
    start_ms = until_ms - DAYS * 86_400_000
    hours = range(DAYS * 24)
    busy = [0.3 + max(0.0, math.sin((h % 24 - 7) / 13 * math.pi)) ** 2 for h in hours]
    share = list(itertools.accumulate(busy, initial=0.0))
    for slot in range(events):
        at = (slot + rng.random()) / events * share[-1]
        hour = min(bisect.bisect_right(share, at), len(busy)) - 1
        yield start_ms + int((hour + (at - share[hour]) / busy[hour]) * 3_600_000)


def spread(rng, middle, width):
    """A number round `middle`, with the long upper tail that times and sizes have."""
    return middle * math.exp(rng.gauss(0.0, width))


def request(rng, model, common):
    latency = spread(rng, model.latency_ms, 0.7)
    given = 8 + int(spread(rng, model.input_tokens, 0.9))
    place = f'"metadata":{{"endpoint":"{ENDPOINTS[model.provider]}","region":"{rng.choice(REGIONS)}"}}'
    if rng.random() < 0.02:
        kind, status, words = rng.choice(FAILURES)
        return (
            f'{common},"latency":{latency:.1f},"success":false,"input_tokens":{given},"output_tokens":0,'
            f'"total_tokens":{given},"cost":0,"error_type":"{kind}","status_code":{status},'
            f'"error_message":"{words.format(rng.randrange(300_000))}",{place}}}\n'
        )
    made = 1 + int(spread(rng, model.output_tokens, 0.8))
    cost = (given * model.input_usd + made * model.output_usd) / 1e6
    return (
        f'{common},"latency":{latency:.1f},"success":true,"input_tokens":{given},"output_tokens":{made},'
        f'"total_tokens":{given + made},"cost":{cost:.6f},{place}}}\n'
    )


def cache(rng, model, common):
    region = rng.choice(REGIONS)
    hit = rng.random() < 0.4
    saved = int(spread(rng, model.input_tokens, 0.8)) if hit else 0
    return (
        f'{common},"event":"{"hit" if hit else "miss"}","latency":{spread(rng, 2.0, 0.5):.2f},'
        f'"saved_tokens":{saved},"metadata":{{"region":"{region}"}}}}\n'
    )


def rate_limit(rng, model, common, at):
    limit = rng.choice([500, 1000, 4000])
    event = "allowed" if rng.random() < 0.93 else "denied"
    return (
        f'{common},"event":"{event}","rate_limit_type":"requests","limit":{limit},'
        f'"remaining":{rng.randrange(limit)},"reset_at":{at + rng.randrange(60_000)}}}\n'
    )


def line(rng, model, at):
    user = 1 + int(USERS * rng.random() ** 2.5)
    kind = rng.random()
    signal = "request" if kind < 0.90 else "cache" if kind < 0.95 else "rate_limit"
    common = (
        f'{{"id":"req_{rng.getrandbits(96):024x}","type":"{signal}","timestamp":{at},'
        f'"provider":"{model.provider}","model":"{model.name}","user_id":"u{user}"'
    )
    if signal == "request":
        return request(rng, model, common)
    if signal == "cache":
        return cache(rng, model, common)
    return rate_limit(rng, model, common, at)


def lines(events, until_ms, seed):
    """All lines in the order in which they come in."""
    rng = random.Random(seed)
    shares = list(itertools.accumulate(m.share for m in MODELS))
    held_back = []
    for number, at in enumerate(arrivals(events, until_ms, rng)):
        (model,) = rng.choices(MODELS, cum_weights=shares)
        made = line(rng, model, at)
        while held_back and held_back[0][0] <= at:
            yield heapq.heappop(held_back)[2]
        if rng.random() < LATE_SHARE:
            late = min(LATE_MOST_MS, 1 + int(rng.expovariate(1 / LATE_MEAN_MS)))
            heapq.heappush(held_back, (at + late, number, made))
        else:
            yield made
    while held_back:
        yield heapq.heappop(held_back)[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("events", type=int)
    parser.add_argument("file")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--until", type=datetime.fromisoformat, default="2026-03-08T00:00:00+00:00")
    args = parser.parse_args()
    until_ms = int(args.until.timestamp() * 1000)
    with open(args.file, "w", encoding="ascii", newline="\n") as out:
        out.writelines(lines(args.events, until_ms, args.seed))


if __name__ == "__main__":
    main()
