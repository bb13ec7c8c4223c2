-- Prices of the user's own, which are asked before those that are built in, and how a
-- request was served, without which its price cannot be computed again.

-- A row is one tier of one price; the rows of a price share their first three columns.
CREATE TABLE price(
    provider TEXT NOT NULL,                -- as the built-in table calls it: anthropic
    model TEXT NOT NULL,                   -- lower case
    from_ms INTEGER NOT NULL,              -- in force from then on; the least integer: always was
    service TEXT NOT NULL,                 -- standard, batch, flex, priority, fast
    above INTEGER NOT NULL,                -- for requests with more input tokens than this
    until_ms INTEGER,                      -- in force before; NULL: still is
    source TEXT NOT NULL,                  -- user, or the name of a file
    read_ms INTEGER NOT NULL,              -- when it was stated
    unit TEXT NOT NULL DEFAULT 'nano_usd_per_million' CHECK(unit = 'nano_usd_per_million'),
    input INTEGER,                         -- NULL: no price, which is not 0
    output INTEGER,
    cache_read INTEGER,
    cache_write_5m INTEGER,
    cache_write_1h INTEGER,
    reasoning INTEGER,
    audio_input INTEGER,
    audio_output INTEGER,
    image_input INTEGER,
    request INTEGER,                       -- a million requests, whatever their size
    PRIMARY KEY(provider, model, from_ms, service, above)
) STRICT, WITHOUT ROWID;

-- Each change of the table above, so that an amount can say which prices it goes by.
CREATE TABLE price_book(
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    what TEXT NOT NULL,                    -- set, import FILE, delete
    prices INTEGER NOT NULL                -- how many changed
) STRICT;

ALTER TABLE event ADD COLUMN service_tier INTEGER; -- NULL: standard; 1 batch, 2 flex, 3 priority, 4 fast, 5 other

PRAGMA user_version = 4;
