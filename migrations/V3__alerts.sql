-- Alerts that an evaluation can be built on: rules get a pool of time, a wait and
-- the other options, alerts what must be remembered between two evaluations, and
-- there are silences, versions of rules, and an outbox of notices.
--
-- The condition of a rule is its truth; metric, operator, threshold, provider and
-- model of `alert_rules` are written from it, for readers of SQL.

ALTER TABLE alert_rules ADD COLUMN condition TEXT NOT NULL DEFAULT '';
ALTER TABLE alert_rules ADD COLUMN window_ms INTEGER NOT NULL DEFAULT 300000;   -- the value is that of so long before a minute's end
ALTER TABLE alert_rules ADD COLUMN for_ms INTEGER NOT NULL DEFAULT 0;           -- how long it must hold before it fires
ALTER TABLE alert_rules ADD COLUMN min_count INTEGER;                           -- NULL: as usual for the measure
ALTER TABLE alert_rules ADD COLUMN no_data TEXT NOT NULL DEFAULT 'ok' CHECK(no_data IN ('ok', 'hold', 'alert'));
ALTER TABLE alert_rules ADD COLUMN resolve_threshold TEXT;                      -- as written; NULL: the threshold itself
ALTER TABLE alert_rules ADD COLUMN keep_firing_for_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert_rules ADD COLUMN repeat_interval_ms INTEGER;                  -- NULL: told once
ALTER TABLE alert_rules ADD COLUMN send_resolved INTEGER NOT NULL DEFAULT 1;
ALTER TABLE alert_rules ADD COLUMN channels TEXT NOT NULL DEFAULT '[]';         -- JSON array of names; []: the usual ones
ALTER TABLE alert_rules ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE alert_rules ADD COLUMN since_ms INTEGER NOT NULL DEFAULT 0;         -- minutes that end later are evaluated

-- What a rule was, before and after every change. It outlives the rule, and its
-- highest rule_id is the last that was ever given.
CREATE TABLE alert_rule_version(
    rule_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    change TEXT NOT NULL CHECK(change IN ('created', 'changed', 'enabled', 'disabled', 'deleted')),
    rule_name TEXT NOT NULL,
    rule TEXT NOT NULL,                    -- the whole rule, JSON
    changed_at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY(rule_id, version)
) STRICT, WITHOUT ROWID;

ALTER TABLE alerts ADD COLUMN rule_version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE alerts ADD COLUMN fired_at_ms INTEGER;                              -- NULL: it never fired
ALTER TABLE alerts ADD COLUMN clear_since_ms INTEGER;                           -- firing, but clear since then: keep_firing_for
ALTER TABLE alerts ADD COLUMN hold_until_ms INTEGER;                            -- resolved by hand while the condition held: no new one before
ALTER TABLE alerts ADD COLUMN acknowledged_note TEXT;
ALTER TABLE alerts ADD COLUMN told_at_ms INTEGER;                               -- when it was last told, repetitions included
CREATE INDEX alert_held ON alerts(rule_id) WHERE hold_until_ms IS NOT NULL;
CREATE INDEX alert_by_rule ON alerts(rule_id);

-- For how long nobody wants to hear of alerts with these labels.
CREATE TABLE silence(
    id INTEGER PRIMARY KEY,
    matchers TEXT NOT NULL,                -- JSON object: label or `rule` or `severity` -> pattern
    from_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,             -- expiring it early moves this
    note TEXT NOT NULL,
    actor TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX silence_by_end ON silence(until_ms);

-- The outbox: what is to be told, one row for each change and channel. It is
-- written in the transaction that decides and delivered outside of it.
CREATE TABLE notice(
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,              -- what is told, and to which channel: written once
    channel TEXT NOT NULL,
    kind TEXT NOT NULL CHECK(kind IN ('firing', 'resolved', 'repeat', 'budget', 'test')),
    alert_id INTEGER,                      -- NULL: it does not speak of an alert
    payload TEXT NOT NULL,                 -- what is told, as it was decided: JSON
    state TEXT NOT NULL DEFAULT 'queued'
        CHECK(state IN ('queued', 'sent', 'silenced', 'inhibited', 'merged', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at_ms INTEGER NOT NULL,            -- not to be sent before
    lease_until_ms INTEGER,                -- somebody is sending it, until then at the latest
    last_error TEXT,
    created_at_ms INTEGER NOT NULL,
    done_at_ms INTEGER                     -- NULL: queued
) STRICT;
CREATE INDEX notice_due ON notice(due_at_ms) WHERE state = 'queued';
CREATE INDEX notice_by_time ON notice(created_at_ms);
CREATE INDEX notice_by_alert ON notice(alert_id);

PRAGMA user_version = 3;
