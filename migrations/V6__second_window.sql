-- A rule may look at two windows at once: an alert on how fast an error budget burns
-- must hold over an hour, so that it means something, and over the last minutes, so that
-- it ends when the trouble does.

ALTER TABLE alert_rules ADD COLUMN also_window_ms INTEGER;                      -- NULL: only window_ms

PRAGMA user_version = 6;
