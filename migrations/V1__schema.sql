-- The whole schema. What an aggregate does not hold from here on cannot be added
-- once raw events are gone, so every token class, both costs and the unpriced
-- requests are columns of raw, of the tiers and of the ledger.
--
-- Names of columns end in their unit: _ms and _us are integers (UTC milliseconds
-- since the Unix epoch, or milliseconds and microseconds of duration); money is
-- an integer number of nano-dollars. A sum of type ANY is an INTEGER, or a TEXT
-- of digits where it does not fit 64 bits. In aggregates NULL means 0, and is
-- written instead of 0 because a row ends at its last value.

-- What must mean the same in a shell and in cron.
CREATE TABLE setting(
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Where the store stands: floors of the tiers (nothing older is kept there), and
-- the epoch of the names (raised when unused names are collected).
CREATE TABLE state(
    key TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO state(key, value) VALUES
    ('raw_floor_ms', -9223372036854775808),
    ('1min_floor_ms', -9223372036854775808),
    ('1hour_floor_ms', -9223372036854775808),
    ('1day_floor_ms', -9223372036854775808),
    ('name_epoch', 0);

-- Every text that repeats, once.
CREATE TABLE name(
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

-- The combinations of labels that occur. An event carries one number for all of
-- them. 0 = not said; status_code -1 = not said, 0 = there was no answer.
CREATE TABLE series(
    id INTEGER PRIMARY KEY,
    provider INTEGER NOT NULL,
    model INTEGER NOT NULL,
    role INTEGER NOT NULL,
    project INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    error_type INTEGER NOT NULL,
    limit_type INTEGER NOT NULL,
    status_code INTEGER NOT NULL,
    UNIQUE(provider, model, role, project, endpoint, error_type, limit_type, status_code)
) STRICT;

-- One transaction of an ingest. The number rises with every commit, by which a
-- roll-up knows which events of a minute the ledger has not seen yet.
CREATE TABLE ingest_batch(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,                -- when it was stored
    source TEXT NOT NULL,                  -- file name, or - for a pipe
    accepted INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    rejected INTEGER NOT NULL
) STRICT;
CREATE INDEX ingest_batch_by_time ON ingest_batch(at_ms);

-- Lines that could not be read, kept with their reason: each once, however often
-- its file is read. h is the xxh3-64 of source, offset, reason and line.
CREATE TABLE dead_letter(
    id INTEGER PRIMARY KEY,
    h INTEGER NOT NULL UNIQUE,
    batch INTEGER NOT NULL,                -- the first that met it
    at_ms INTEGER NOT NULL,                -- when it was refused
    source TEXT NOT NULL,
    line INTEGER NOT NULL,                 -- 1 for the first line
    byte_offset INTEGER NOT NULL,          -- in the decompressed input
    code TEXT NOT NULL,                    -- stable word for the kind of reason
    reason TEXT NOT NULL,
    sample BLOB NOT NULL,                  -- the line, or its beginning
    truncated INTEGER NOT NULL             -- 1: sample is not the whole line
) STRICT;
CREATE INDEX dead_letter_by_time ON dead_letter(at_ms);

-- Raw events in the order of time. (at_ms, h) is the identity: h is the xxh3-64
-- of (type, 0, id), or of what stands in for an id. NULL = the event did not say.
-- Columns that few events use come last; a row ends at its last value.
CREATE TABLE event(
    at_ms INTEGER NOT NULL,
    h INTEGER NOT NULL,
    kind INTEGER NOT NULL,                 -- 0 failed request, 1 request, 2 cache hit, 3 miss, 4 store, 5 allowed, 6 denied
    series INTEGER NOT NULL,
    batch INTEGER NOT NULL,
    user INTEGER NOT NULL,                 -- name; 0 = not said
    metadata ANY,                          -- INTEGER: name; TEXT: JSON object
    id_prefix INTEGER,                     -- name before the hex digits of the id; negative: they are a UUID
    id ANY,                                -- BLOB: hex digits; TEXT: as sent
    latency_us INTEGER,
    input_uncached INTEGER,
    output INTEGER,
    cost_reported INTEGER,
    session INTEGER,                       -- name
    cost_computed INTEGER,
    cache_read INTEGER,
    ttft_us INTEGER,
    reasoning INTEGER,
    cache_write_5m INTEGER,
    cache_write_1h INTEGER,
    error_message TEXT,
    request_id TEXT,
    saved_tokens INTEGER,
    saved_cost INTEGER,
    limit_remaining INTEGER,
    limit_max INTEGER,
    limit_reset_ms INTEGER,
    limit_key INTEGER,                     -- name
    tools INTEGER,                         -- name
    audio_input INTEGER,
    audio_output INTEGER,
    image_input INTEGER,
    unclassified INTEGER,                  -- tokens told only as a total
    total_told INTEGER,                    -- the sender's total, where it contradicts the classes
    PRIMARY KEY(at_ms, h)
) STRICT, WITHOUT ROWID;

-- For --dedupe id: when an id was first seen.
CREATE TABLE identity(
    h INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX identity_by_time ON identity(at_ms);

-- Minutes whose aggregates are behind their raw events. Events of batches from
-- since_batch on are not in the ledger yet.
CREATE TABLE dirty(
    minute_ms INTEGER PRIMARY KEY,
    since_batch INTEGER NOT NULL
) STRICT;

-- The calendar of the store's zone, for SQL that asks for a local day.
CREATE TABLE calendar(
    day INTEGER PRIMARY KEY,               -- days since 1970-01-01
    date TEXT NOT NULL,                    -- 2026-01-31
    from_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX calendar_by_time ON calendar(from_ms);

-- Aggregates by time, provider, model and role.

CREATE TABLE bucket_1min(
    bucket_ms INTEGER NOT NULL,            -- start of a minute
    provider INTEGER NOT NULL,             -- name; 0 = not said
    model INTEGER NOT NULL,
    role INTEGER NOT NULL,
    requests INTEGER NOT NULL,             -- requests, successful or not
    failures INTEGER NOT NULL,             -- requests that failed
    first_ms INTEGER NOT NULL,             -- first event of any kind
    last_ms INTEGER NOT NULL,              -- last event of any kind
    latency_count INTEGER,                 -- requests that told a latency
    latency_sum_us ANY,
    latency_min_us INTEGER,                -- NULL: no latency
    latency_max_us INTEGER,
    latency_p50_us INTEGER,                -- from the sketch, for readers without obs
    latency_p95_us INTEGER,
    latency_p99_us INTEGER,
    latency_sketch BLOB,                   -- milliseconds
    input_uncached ANY,                    -- token sums by class
    output ANY,
    cost ANY,                              -- nano-dollars that count
    cost_reported ANY,
    limit_allowed INTEGER,
    limit_denied INTEGER,
    cache_hits INTEGER,
    cache_misses INTEGER,
    cache_saved_tokens ANY,
    cache_saved_cost ANY,
    cache_stores INTEGER,
    unpriced INTEGER,                      -- requests without a cost that counts
    cost_computed ANY,
    cache_read ANY,
    reasoning ANY,
    cache_write_5m ANY,
    cache_write_1h ANY,
    ttft_count INTEGER,                    -- time to first token, as latency
    ttft_sum_us ANY,
    ttft_min_us INTEGER,
    ttft_max_us INTEGER,
    ttft_sketch BLOB,
    audio_input ANY,
    audio_output ANY,
    image_input ANY,
    unclassified ANY,
    token_mismatches INTEGER,
    PRIMARY KEY(bucket_ms, provider, model, role)
) STRICT, WITHOUT ROWID;

CREATE TABLE bucket_1hour(
    bucket_ms INTEGER NOT NULL,            -- start of an hour
    provider INTEGER NOT NULL,             -- name; 0 = not said
    model INTEGER NOT NULL,
    role INTEGER NOT NULL,
    requests INTEGER NOT NULL,             -- requests, successful or not
    failures INTEGER NOT NULL,             -- requests that failed
    first_ms INTEGER NOT NULL,             -- first event of any kind
    last_ms INTEGER NOT NULL,              -- last event of any kind
    latency_count INTEGER,                 -- requests that told a latency
    latency_sum_us ANY,
    latency_min_us INTEGER,                -- NULL: no latency
    latency_max_us INTEGER,
    latency_p50_us INTEGER,                -- from the sketch, for readers without obs
    latency_p95_us INTEGER,
    latency_p99_us INTEGER,
    latency_sketch BLOB,                   -- milliseconds
    input_uncached ANY,                    -- token sums by class
    output ANY,
    cost ANY,                              -- nano-dollars that count
    cost_reported ANY,
    limit_allowed INTEGER,
    limit_denied INTEGER,
    cache_hits INTEGER,
    cache_misses INTEGER,
    cache_saved_tokens ANY,
    cache_saved_cost ANY,
    cache_stores INTEGER,
    unpriced INTEGER,                      -- requests without a cost that counts
    cost_computed ANY,
    cache_read ANY,
    reasoning ANY,
    cache_write_5m ANY,
    cache_write_1h ANY,
    ttft_count INTEGER,                    -- time to first token, as latency
    ttft_sum_us ANY,
    ttft_min_us INTEGER,
    ttft_max_us INTEGER,
    ttft_sketch BLOB,
    audio_input ANY,
    audio_output ANY,
    image_input ANY,
    unclassified ANY,
    token_mismatches INTEGER,
    PRIMARY KEY(bucket_ms, provider, model, role)
) STRICT, WITHOUT ROWID;

CREATE TABLE bucket_1day(
    bucket_ms INTEGER NOT NULL,            -- start of a UTC day
    provider INTEGER NOT NULL,             -- name; 0 = not said
    model INTEGER NOT NULL,
    role INTEGER NOT NULL,
    requests INTEGER NOT NULL,             -- requests, successful or not
    failures INTEGER NOT NULL,             -- requests that failed
    first_ms INTEGER NOT NULL,             -- first event of any kind
    last_ms INTEGER NOT NULL,              -- last event of any kind
    latency_count INTEGER,                 -- requests that told a latency
    latency_sum_us ANY,
    latency_min_us INTEGER,                -- NULL: no latency
    latency_max_us INTEGER,
    latency_p50_us INTEGER,                -- from the sketch, for readers without obs
    latency_p95_us INTEGER,
    latency_p99_us INTEGER,
    latency_sketch BLOB,                   -- milliseconds
    input_uncached ANY,                    -- token sums by class
    output ANY,
    cost ANY,                              -- nano-dollars that count
    cost_reported ANY,
    limit_allowed INTEGER,
    limit_denied INTEGER,
    cache_hits INTEGER,
    cache_misses INTEGER,
    cache_saved_tokens ANY,
    cache_saved_cost ANY,
    cache_stores INTEGER,
    unpriced INTEGER,                      -- requests without a cost that counts
    cost_computed ANY,
    cache_read ANY,
    reasoning ANY,
    cache_write_5m ANY,
    cache_write_1h ANY,
    ttft_count INTEGER,                    -- time to first token, as latency
    ttft_sum_us ANY,
    ttft_min_us INTEGER,
    ttft_max_us INTEGER,
    ttft_sketch BLOB,
    audio_input ANY,
    audio_output ANY,
    image_input ANY,
    unclassified ANY,
    token_mismatches INTEGER,
    PRIMARY KEY(bucket_ms, provider, model, role)
) STRICT, WITHOUT ROWID;

-- What bills and budgets read: one row a calendar day of the store's zone. Kept
-- for ever by default; it is small.
CREATE TABLE ledger(
    day INTEGER NOT NULL,                  -- local date, as days since 1970-01-01
    provider INTEGER NOT NULL,             -- name; 0 = not said
    model INTEGER NOT NULL,
    user INTEGER NOT NULL,
    project INTEGER NOT NULL,
    requests INTEGER NOT NULL,             -- requests, successful or not
    failures INTEGER NOT NULL,             -- requests that failed
    input_uncached ANY,                    -- token sums by class
    output ANY,
    cost ANY,                              -- nano-dollars that count
    cost_reported ANY,
    limit_allowed INTEGER,
    limit_denied INTEGER,
    cache_hits INTEGER,
    cache_misses INTEGER,
    cache_saved_tokens ANY,
    cache_saved_cost ANY,
    cache_stores INTEGER,
    unpriced INTEGER,                      -- requests without a cost that counts
    cost_computed ANY,
    cache_read ANY,
    reasoning ANY,
    cache_write_5m ANY,
    cache_write_1h ANY,
    audio_input ANY,
    audio_output ANY,
    image_input ANY,
    unclassified ANY,
    token_mismatches INTEGER,
    PRIMARY KEY(day, provider, model, user, project)
) STRICT, WITHOUT ROWID;

-- What a conversation or a run of an agent came to.
CREATE TABLE session(
    session INTEGER NOT NULL,              -- name
    provider INTEGER NOT NULL,             -- name; 0 = not said
    model INTEGER NOT NULL,
    user INTEGER NOT NULL,
    project INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    requests INTEGER NOT NULL,             -- requests, successful or not
    failures INTEGER NOT NULL,             -- requests that failed
    input_uncached ANY,                    -- token sums by class
    output ANY,
    cost ANY,                              -- nano-dollars that count
    cost_reported ANY,
    limit_allowed INTEGER,
    limit_denied INTEGER,
    cache_hits INTEGER,
    cache_misses INTEGER,
    cache_saved_tokens ANY,
    cache_saved_cost ANY,
    cache_stores INTEGER,
    unpriced INTEGER,                      -- requests without a cost that counts
    cost_computed ANY,
    cache_read ANY,
    reasoning ANY,
    cache_write_5m ANY,
    cache_write_1h ANY,
    audio_input ANY,
    audio_output ANY,
    image_input ANY,
    unclassified ANY,
    token_mismatches INTEGER,
    PRIMARY KEY(session, provider, model, user, project)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_last ON session(last_ms);

CREATE VIEW metrics_1min AS SELECT
    b.bucket_ms AS timestamp,
    strftime('%Y-%m-%dT%H:%M:%fZ', b.bucket_ms / 1000.0, 'unixepoch') AS time,
    p.text AS provider, m.text AS model, r.text AS role,
    b.requests, b.requests - b.failures AS successes, b.failures,
    (b.requests - b.failures) * 1.0 / nullif(b.requests, 0) AS success_rate,
    b.failures * 1.0 / nullif(b.requests, 0) AS error_rate,
    b.latency_sum_us / 1000.0 / nullif(b.latency_count, 0) AS latency_avg_ms,
    b.latency_min_us / 1000.0 AS latency_min_ms,
    b.latency_max_us / 1000.0 AS latency_max_ms,
    b.latency_p50_us / 1000.0 AS latency_p50_ms,
    b.latency_p95_us / 1000.0 AS latency_p95_ms,
    b.latency_p99_us / 1000.0 AS latency_p99_ms,
    (ifnull(b.input_uncached, 0) + ifnull(b.cache_read, 0) + ifnull(b.cache_write_5m, 0) + ifnull(b.cache_write_1h, 0) + ifnull(b.audio_input, 0) + ifnull(b.image_input, 0)) AS input_tokens,
    (ifnull(b.output, 0) + ifnull(b.reasoning, 0) + ifnull(b.audio_output, 0)) AS output_tokens,
    (ifnull(b.input_uncached, 0) + ifnull(b.cache_read, 0) + ifnull(b.cache_write_5m, 0) + ifnull(b.cache_write_1h, 0) + ifnull(b.audio_input, 0) + ifnull(b.image_input, 0) + ifnull(b.output, 0) + ifnull(b.reasoning, 0) + ifnull(b.audio_output, 0) + ifnull(b.unclassified, 0)) AS total_tokens,
    ifnull(b.input_uncached, 0) AS input_uncached_tokens,
    ifnull(b.cache_read, 0) AS cache_read_tokens,
    ifnull(b.cache_write_5m, 0) AS cache_write_5m_tokens,
    ifnull(b.cache_write_1h, 0) AS cache_write_1h_tokens,
    ifnull(b.reasoning, 0) AS reasoning_tokens,
    ifnull(b.cost, 0) / 1e9 AS cost_usd,
    ifnull(b.cost_reported, 0) / 1e9 AS cost_reported_usd,
    ifnull(b.cost_computed, 0) / 1e9 AS cost_computed_usd,
    ifnull(b.unpriced, 0) AS unpriced,
    ifnull(b.cache_hits, 0) AS cache_hits,
    ifnull(b.cache_misses, 0) AS cache_misses,
    ifnull(b.cache_stores, 0) AS cache_stores,
    ifnull(b.cache_hits, 0) * 1.0 / nullif(ifnull(b.cache_hits, 0) + ifnull(b.cache_misses, 0), 0) AS cache_hit_rate,
    ifnull(b.cache_saved_cost, 0) / 1e9 AS cache_saved_cost_usd,
    ifnull(b.cache_saved_tokens, 0) AS cache_saved_tokens,
    ifnull(b.limit_allowed, 0) AS rate_limit_allowed,
    ifnull(b.limit_denied, 0) AS rate_limit_denied,
    ifnull(b.limit_denied, 0) * 1.0 / nullif(ifnull(b.limit_allowed, 0) + ifnull(b.limit_denied, 0), 0) AS rate_limit_denial_rate,
    b.first_ms AS first_event, b.last_ms AS last_event,
    b.latency_sketch
FROM bucket_1min b
LEFT JOIN name p ON p.id = b.provider
LEFT JOIN name m ON m.id = b.model
LEFT JOIN name r ON r.id = b.role;

CREATE VIEW metrics_1hour AS SELECT
    b.bucket_ms AS timestamp,
    strftime('%Y-%m-%dT%H:%M:%fZ', b.bucket_ms / 1000.0, 'unixepoch') AS time,
    p.text AS provider, m.text AS model, r.text AS role,
    b.requests, b.requests - b.failures AS successes, b.failures,
    (b.requests - b.failures) * 1.0 / nullif(b.requests, 0) AS success_rate,
    b.failures * 1.0 / nullif(b.requests, 0) AS error_rate,
    b.latency_sum_us / 1000.0 / nullif(b.latency_count, 0) AS latency_avg_ms,
    b.latency_min_us / 1000.0 AS latency_min_ms,
    b.latency_max_us / 1000.0 AS latency_max_ms,
    b.latency_p50_us / 1000.0 AS latency_p50_ms,
    b.latency_p95_us / 1000.0 AS latency_p95_ms,
    b.latency_p99_us / 1000.0 AS latency_p99_ms,
    (ifnull(b.input_uncached, 0) + ifnull(b.cache_read, 0) + ifnull(b.cache_write_5m, 0) + ifnull(b.cache_write_1h, 0) + ifnull(b.audio_input, 0) + ifnull(b.image_input, 0)) AS input_tokens,
    (ifnull(b.output, 0) + ifnull(b.reasoning, 0) + ifnull(b.audio_output, 0)) AS output_tokens,
    (ifnull(b.input_uncached, 0) + ifnull(b.cache_read, 0) + ifnull(b.cache_write_5m, 0) + ifnull(b.cache_write_1h, 0) + ifnull(b.audio_input, 0) + ifnull(b.image_input, 0) + ifnull(b.output, 0) + ifnull(b.reasoning, 0) + ifnull(b.audio_output, 0) + ifnull(b.unclassified, 0)) AS total_tokens,
    ifnull(b.input_uncached, 0) AS input_uncached_tokens,
    ifnull(b.cache_read, 0) AS cache_read_tokens,
    ifnull(b.cache_write_5m, 0) AS cache_write_5m_tokens,
    ifnull(b.cache_write_1h, 0) AS cache_write_1h_tokens,
    ifnull(b.reasoning, 0) AS reasoning_tokens,
    ifnull(b.cost, 0) / 1e9 AS cost_usd,
    ifnull(b.cost_reported, 0) / 1e9 AS cost_reported_usd,
    ifnull(b.cost_computed, 0) / 1e9 AS cost_computed_usd,
    ifnull(b.unpriced, 0) AS unpriced,
    ifnull(b.cache_hits, 0) AS cache_hits,
    ifnull(b.cache_misses, 0) AS cache_misses,
    ifnull(b.cache_stores, 0) AS cache_stores,
    ifnull(b.cache_hits, 0) * 1.0 / nullif(ifnull(b.cache_hits, 0) + ifnull(b.cache_misses, 0), 0) AS cache_hit_rate,
    ifnull(b.cache_saved_cost, 0) / 1e9 AS cache_saved_cost_usd,
    ifnull(b.cache_saved_tokens, 0) AS cache_saved_tokens,
    ifnull(b.limit_allowed, 0) AS rate_limit_allowed,
    ifnull(b.limit_denied, 0) AS rate_limit_denied,
    ifnull(b.limit_denied, 0) * 1.0 / nullif(ifnull(b.limit_allowed, 0) + ifnull(b.limit_denied, 0), 0) AS rate_limit_denial_rate,
    b.first_ms AS first_event, b.last_ms AS last_event,
    b.latency_sketch
FROM bucket_1hour b
LEFT JOIN name p ON p.id = b.provider
LEFT JOIN name m ON m.id = b.model
LEFT JOIN name r ON r.id = b.role;

CREATE VIEW metrics_1day AS SELECT
    b.bucket_ms AS timestamp,
    strftime('%Y-%m-%dT%H:%M:%fZ', b.bucket_ms / 1000.0, 'unixepoch') AS time,
    p.text AS provider, m.text AS model, r.text AS role,
    b.requests, b.requests - b.failures AS successes, b.failures,
    (b.requests - b.failures) * 1.0 / nullif(b.requests, 0) AS success_rate,
    b.failures * 1.0 / nullif(b.requests, 0) AS error_rate,
    b.latency_sum_us / 1000.0 / nullif(b.latency_count, 0) AS latency_avg_ms,
    b.latency_min_us / 1000.0 AS latency_min_ms,
    b.latency_max_us / 1000.0 AS latency_max_ms,
    b.latency_p50_us / 1000.0 AS latency_p50_ms,
    b.latency_p95_us / 1000.0 AS latency_p95_ms,
    b.latency_p99_us / 1000.0 AS latency_p99_ms,
    (ifnull(b.input_uncached, 0) + ifnull(b.cache_read, 0) + ifnull(b.cache_write_5m, 0) + ifnull(b.cache_write_1h, 0) + ifnull(b.audio_input, 0) + ifnull(b.image_input, 0)) AS input_tokens,
    (ifnull(b.output, 0) + ifnull(b.reasoning, 0) + ifnull(b.audio_output, 0)) AS output_tokens,
    (ifnull(b.input_uncached, 0) + ifnull(b.cache_read, 0) + ifnull(b.cache_write_5m, 0) + ifnull(b.cache_write_1h, 0) + ifnull(b.audio_input, 0) + ifnull(b.image_input, 0) + ifnull(b.output, 0) + ifnull(b.reasoning, 0) + ifnull(b.audio_output, 0) + ifnull(b.unclassified, 0)) AS total_tokens,
    ifnull(b.input_uncached, 0) AS input_uncached_tokens,
    ifnull(b.cache_read, 0) AS cache_read_tokens,
    ifnull(b.cache_write_5m, 0) AS cache_write_5m_tokens,
    ifnull(b.cache_write_1h, 0) AS cache_write_1h_tokens,
    ifnull(b.reasoning, 0) AS reasoning_tokens,
    ifnull(b.cost, 0) / 1e9 AS cost_usd,
    ifnull(b.cost_reported, 0) / 1e9 AS cost_reported_usd,
    ifnull(b.cost_computed, 0) / 1e9 AS cost_computed_usd,
    ifnull(b.unpriced, 0) AS unpriced,
    ifnull(b.cache_hits, 0) AS cache_hits,
    ifnull(b.cache_misses, 0) AS cache_misses,
    ifnull(b.cache_stores, 0) AS cache_stores,
    ifnull(b.cache_hits, 0) * 1.0 / nullif(ifnull(b.cache_hits, 0) + ifnull(b.cache_misses, 0), 0) AS cache_hit_rate,
    ifnull(b.cache_saved_cost, 0) / 1e9 AS cache_saved_cost_usd,
    ifnull(b.cache_saved_tokens, 0) AS cache_saved_tokens,
    ifnull(b.limit_allowed, 0) AS rate_limit_allowed,
    ifnull(b.limit_denied, 0) AS rate_limit_denied,
    ifnull(b.limit_denied, 0) * 1.0 / nullif(ifnull(b.limit_allowed, 0) + ifnull(b.limit_denied, 0), 0) AS rate_limit_denial_rate,
    b.first_ms AS first_event, b.last_ms AS last_event,
    b.latency_sketch
FROM bucket_1day b
LEFT JOIN name p ON p.id = b.provider
LEFT JOIN name m ON m.id = b.model
LEFT JOIN name r ON r.id = b.role;

CREATE VIEW metrics_raw AS SELECT
    CASE
        WHEN e.id IS NULL THEN printf('%x-%016x', e.at_ms, e.h)
        WHEN e.id_prefix > 0 THEN x.text || lower(hex(e.id))
        WHEN e.id_prefix < 0 THEN x.text || lower(substr(hex(e.id), 1, 8) || '-' || substr(hex(e.id), 9, 4) || '-'
            || substr(hex(e.id), 13, 4) || '-' || substr(hex(e.id), 17, 4) || '-' || substr(hex(e.id), 21))
        ELSE e.id
    END AS id,
    printf('%x-%016x', e.at_ms, e.h) AS ref,
    e.at_ms AS timestamp,
    strftime('%Y-%m-%dT%H:%M:%fZ', e.at_ms / 1000.0, 'unixepoch') AS time,
    CASE WHEN e.kind <= 1 THEN 'request' WHEN e.kind <= 4 THEN 'cache' ELSE 'rate_limit' END AS metric_type,
    p.text AS provider, m.text AS model, u.text AS user_id, r.text AS role, j.text AS project,
    s.text AS session_id, e.request_id, n.text AS endpoint,
    e.latency_us / 1000.0 AS latency,
    e.ttft_us / 1000.0 AS ttft_ms,
    e.kind <> 0 AS success,
    nullif(l.status_code, -1) AS status_code,
    t.text AS error_type, e.error_message,
    e.input_uncached + ifnull(e.cache_read, 0) + ifnull(e.cache_write_5m, 0) + ifnull(e.cache_write_1h, 0)
        + ifnull(e.audio_input, 0) + ifnull(e.image_input, 0) AS input_tokens,
    e.output + ifnull(e.reasoning, 0) + ifnull(e.audio_output, 0) AS output_tokens,
    e.input_uncached + ifnull(e.cache_read, 0) + ifnull(e.cache_write_5m, 0) + ifnull(e.cache_write_1h, 0)
        + ifnull(e.audio_input, 0) + ifnull(e.image_input, 0)
        + e.output + ifnull(e.reasoning, 0) + ifnull(e.audio_output, 0) + ifnull(e.unclassified, 0) AS total_tokens,
    e.input_uncached AS input_uncached_tokens,
    e.cache_read AS cache_read_tokens,
    e.cache_write_5m AS cache_write_5m_tokens,
    e.cache_write_1h AS cache_write_1h_tokens,
    e.reasoning AS reasoning_tokens,
    CASE (SELECT value FROM setting WHERE key = 'cost_mode')
        WHEN 'reported' THEN e.cost_reported
        WHEN 'computed' THEN e.cost_computed
        ELSE ifnull(e.cost_reported, e.cost_computed)
    END / 1e9 AS cost,
    e.cost_reported / 1e9 AS cost_reported,
    e.cost_computed / 1e9 AS cost_computed,
    CASE e.kind WHEN 2 THEN 'hit' WHEN 3 THEN 'miss' WHEN 4 THEN 'store' END AS cache_event,
    e.saved_cost / 1e9 AS cache_saved_cost,
    e.saved_tokens AS cache_saved_tokens,
    CASE e.kind WHEN 5 THEN 'allowed' WHEN 6 THEN 'denied' END AS rate_limit_event,
    y.text AS rate_limit_type,
    k.text AS rate_limit_key,
    e.limit_remaining AS rate_limit_remaining,
    e.limit_max AS rate_limit_limit,
    e.limit_reset_ms AS rate_limit_reset,
    o.text AS tools,
    CASE typeof(e.metadata) WHEN 'integer' THEN d.text ELSE e.metadata END AS metadata,
    b.at_ms AS created_at
FROM event e
JOIN series l ON l.id = e.series
LEFT JOIN name p ON p.id = l.provider
LEFT JOIN name m ON m.id = l.model
LEFT JOIN name r ON r.id = l.role
LEFT JOIN name j ON j.id = l.project
LEFT JOIN name n ON n.id = l.endpoint
LEFT JOIN name t ON t.id = l.error_type
LEFT JOIN name y ON y.id = l.limit_type
LEFT JOIN name u ON u.id = e.user
LEFT JOIN name s ON s.id = e.session
LEFT JOIN name k ON k.id = e.limit_key
LEFT JOIN name o ON o.id = e.tools
LEFT JOIN name x ON x.id = abs(e.id_prefix)
LEFT JOIN name d ON d.id = e.metadata AND typeof(e.metadata) = 'integer'
LEFT JOIN ingest_batch b ON b.id = e.batch;

-- The last hour, fresh whether or not a roll-up ran. total(), for sum() fails on a
-- total beyond 64 bits.
CREATE VIEW metrics_recent_summary AS SELECT
    provider, model, metric_type,
    count(*) AS events,
    sum(success = 0) AS failures,
    avg(latency) AS latency_avg_ms,
    max(latency) AS latency_max_ms,
    CAST(total(total_tokens) AS INTEGER) AS total_tokens,
    sum(cost) AS cost_usd,
    max(timestamp) AS last_event
FROM metrics_raw
WHERE timestamp >= CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) - 3600000
GROUP BY provider, model, metric_type;

-- Today in the store's zone, fresh whether or not a roll-up ran.
CREATE VIEW cost_today_summary AS SELECT
    c.date, r.provider, r.model, r.user_id, r.project,
    count(*) AS requests,
    CAST(total(r.total_tokens) AS INTEGER) AS total_tokens,
    sum(r.cost) AS cost_usd,
    sum(r.cost IS NULL) AS unpriced
FROM calendar c
JOIN metrics_raw r ON r.timestamp >= c.from_ms AND r.timestamp < c.until_ms AND r.metric_type = 'request'
WHERE c.from_ms = (SELECT max(from_ms) FROM calendar
    WHERE from_ms <= CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))
GROUP BY r.provider, r.model, r.user_id, r.project;

CREATE TABLE alert_rules(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    metric TEXT NOT NULL,
    operator TEXT NOT NULL CHECK(operator IN ('>', '<', '>=', '<=', '==', '!=')),
    threshold REAL NOT NULL,
    duration_s INTEGER NOT NULL DEFAULT 60,
    provider TEXT,                         -- NULL: all
    model TEXT,                            -- NULL: all
    severity TEXT NOT NULL DEFAULT 'warning' CHECK(severity IN ('info', 'warning', 'critical')),
    enabled INTEGER NOT NULL DEFAULT 1,
    labels TEXT NOT NULL DEFAULT '{}',     -- JSON object
    annotations TEXT NOT NULL DEFAULT '{}',
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL
) STRICT;

-- changed_at_ms is when the change holds (event time), observed_at_ms when it was
-- decided; reason and actor speak of the last change. History is made of these.
CREATE TABLE alerts(
    id INTEGER PRIMARY KEY,
    rule_id INTEGER NOT NULL REFERENCES alert_rules(id) ON DELETE CASCADE,
    rule_name TEXT NOT NULL,
    state TEXT NOT NULL CHECK(state IN ('pending', 'firing', 'acknowledged', 'resolved')),
    severity TEXT NOT NULL,
    provider TEXT,
    model TEXT,
    labels TEXT NOT NULL DEFAULT '{}',     -- the label set it stands for
    current_value REAL,                    -- NULL: no data
    threshold_value REAL NOT NULL,
    context TEXT NOT NULL DEFAULT '{}',    -- the values that made it fire, JSON
    started_at_ms INTEGER NOT NULL,
    acknowledged_at_ms INTEGER,
    acknowledged_by TEXT,
    resolved_at_ms INTEGER,                -- NULL: open
    notified INTEGER NOT NULL DEFAULT 0,
    changed_at_ms INTEGER NOT NULL,
    observed_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;
-- Listed by state on every page; resolved ones are the many.
CREATE INDEX alert_open ON alerts(rule_id, started_at_ms) WHERE resolved_at_ms IS NULL;
CREATE INDEX alert_by_start ON alerts(started_at_ms);

-- Append-only, without a foreign key: it outlives its rule.
CREATE TABLE alert_history(
    id INTEGER PRIMARY KEY,
    alert_id INTEGER NOT NULL,
    rule_id INTEGER NOT NULL,
    rule_name TEXT NOT NULL,
    from_state TEXT,                       -- NULL: the alert began
    to_state TEXT NOT NULL,
    severity TEXT NOT NULL,
    labels TEXT NOT NULL,
    value REAL,                            -- NULL: no data
    threshold_value REAL NOT NULL,
    changed_at_ms INTEGER NOT NULL,
    observed_at_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;
CREATE INDEX alert_history_by_time ON alert_history(changed_at_ms);
CREATE INDEX alert_history_by_alert ON alert_history(alert_id);

CREATE TRIGGER alert_begins AFTER INSERT ON alerts BEGIN
    INSERT INTO alert_history(alert_id, rule_id, rule_name, from_state, to_state, severity, labels, value,
        threshold_value, changed_at_ms, observed_at_ms, reason, actor)
    VALUES(new.id, new.rule_id, new.rule_name, NULL, new.state, new.severity, new.labels, new.current_value,
        new.threshold_value, new.changed_at_ms, new.observed_at_ms, new.reason, new.actor);
END;
CREATE TRIGGER alert_changes AFTER UPDATE OF state ON alerts WHEN old.state <> new.state BEGIN
    INSERT INTO alert_history(alert_id, rule_id, rule_name, from_state, to_state, severity, labels, value,
        threshold_value, changed_at_ms, observed_at_ms, reason, actor)
    VALUES(new.id, new.rule_id, new.rule_name, old.state, new.state, new.severity, new.labels, new.current_value,
        new.threshold_value, new.changed_at_ms, new.observed_at_ms, new.reason, new.actor);
END;
-- Timestamps follow the state, whoever changes it.
CREATE TRIGGER alert_timestamps AFTER UPDATE ON alerts
    WHEN new.updated_at_ms <> new.observed_at_ms
      OR (new.state = 'resolved') <> (new.resolved_at_ms IS NOT NULL)
      OR (new.state = 'acknowledged' AND new.acknowledged_at_ms IS NULL)
BEGIN
    UPDATE alerts SET
        updated_at_ms = new.observed_at_ms,
        resolved_at_ms = CASE WHEN new.state = 'resolved' THEN ifnull(new.resolved_at_ms, new.changed_at_ms) END,
        acknowledged_at_ms = CASE WHEN new.state = 'acknowledged' THEN ifnull(new.acknowledged_at_ms, new.changed_at_ms)
            ELSE new.acknowledged_at_ms END
    WHERE id = new.id;
END;

CREATE VIEW alerts_active_summary AS SELECT
    severity, state, count(*) AS alerts,
    min(started_at_ms) AS oldest_started_at,
    max(started_at_ms) AS newest_started_at,
    group_concat(rule_name, ', ') AS rules
FROM alerts WHERE resolved_at_ms IS NULL
GROUP BY severity, state;

CREATE TABLE cost_budgets(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    period TEXT NOT NULL CHECK(period IN ('daily', 'weekly', 'monthly')),
    limit_nano_usd INTEGER NOT NULL,
    provider TEXT,                         -- scope; NULL: all
    model TEXT,
    user TEXT,
    project TEXT,
    alert_at_50 INTEGER NOT NULL DEFAULT 0,
    alert_at_80 INTEGER NOT NULL DEFAULT 1,
    alert_at_95 INTEGER NOT NULL DEFAULT 1,
    alert_when_exceeded INTEGER NOT NULL DEFAULT 1,
    enabled INTEGER NOT NULL DEFAULT 1,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE cost_projections(
    id INTEGER PRIMARY KEY,
    made_at_ms INTEGER NOT NULL,
    period TEXT NOT NULL,
    period_from_ms INTEGER NOT NULL,
    period_until_ms INTEGER NOT NULL,
    scope TEXT NOT NULL DEFAULT '{}',      -- JSON object; {} = all
    method TEXT NOT NULL,
    spent_nano_usd INTEGER NOT NULL,
    expected_nano_usd INTEGER NOT NULL,
    low_80_nano_usd INTEGER,               -- NULL: too little history for an interval
    high_80_nano_usd INTEGER,
    low_95_nano_usd INTEGER,
    high_95_nano_usd INTEGER
) STRICT;
CREATE INDEX cost_projections_by_time ON cost_projections(made_at_ms);

PRAGMA user_version = 1;
