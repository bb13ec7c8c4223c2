-- How far each file was read, so that a restart goes on behind the last line that
-- was stored. A row is written in the transaction of the lines it stands for, so
-- that the two cannot differ after a crash. A file is what it is by device, inode
-- and its first bytes: a name moves on when a log is rotated, and an inode is used
-- again when a file is gone.
CREATE TABLE input_file(
    device INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    path TEXT NOT NULL,                    -- where it was when it was first read, from the root
    generation INTEGER NOT NULL,           -- files that were at this path before it; part of the identity of its lines
    offset INTEGER NOT NULL,               -- bytes up to the first line that is not stored
    line INTEGER NOT NULL,                 -- number of that line
    head_len INTEGER NOT NULL,             -- bytes that head_h stands for
    head_h INTEGER NOT NULL,               -- xxh3-64 of the first bytes
    packed_mtime_ns INTEGER,               -- of a compressed file read to its end: its time of change then; NULL: not compressed
    at_ms INTEGER NOT NULL,                -- when this was noted
    PRIMARY KEY(device, inode)
) STRICT, WITHOUT ROWID;
CREATE INDEX input_file_by_path ON input_file(path, generation);

PRAGMA user_version = 2;
