-- The catalogue of one node: a file of its own, apart from the music.
CREATE TABLE IF NOT EXISTS record (
    number  INTEGER PRIMARY KEY,   -- joins the search tables
    kind    TEXT NOT NULL,         -- song, user, peer ...
    key     TEXT NOT NULL,
    doc     TEXT NOT NULL,         -- JSON, stored as received: fields of newer versions survive
    stamp   TEXT NOT NULL,
    edits   TEXT NOT NULL,         -- JSON: field -> stamp
    deleted INTEGER NOT NULL,
    bucket  INTEGER NOT NULL,      -- of the digest
    hash    INTEGER NOT NULL,
    sort    TEXT NOT NULL,         -- what pages are ordered by
    UNIQUE (kind, key)
);
CREATE INDEX IF NOT EXISTS record_page ON record (kind, deleted, sort, key);
CREATE INDEX IF NOT EXISTS record_bucket ON record (bucket);

-- Sums of record hashes: level 1 has 256 groups, level 2 their 256 buckets each.
CREATE TABLE IF NOT EXISTS digest (level INTEGER, n INTEGER, total INTEGER NOT NULL, PRIMARY KEY (level, n)) WITHOUT ROWID;

-- Records that cannot be taken now (from the future) or ever (broken): kept aside, shown, never in the way.
CREATE TABLE IF NOT EXISTS aside (record TEXT PRIMARY KEY, why TEXT NOT NULL, until_ms INTEGER NOT NULL) WITHOUT ROWID;

-- Search: plain text, its words, its three-letter pieces.
CREATE TABLE IF NOT EXISTS search (number INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE VIRTUAL TABLE IF NOT EXISTS search_word USING fts5 (
    text, content = 'search', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3');
CREATE VIRTUAL TABLE IF NOT EXISTS search_piece USING fts5 (
    text, content = 'search', content_rowid = 'number', tokenize = 'trigram');
CREATE TRIGGER IF NOT EXISTS search_insert AFTER INSERT ON search BEGIN
    INSERT INTO search_word (rowid, text) VALUES (new.number, new.text);
    INSERT INTO search_piece (rowid, text) VALUES (new.number, new.text);
END;
CREATE TRIGGER IF NOT EXISTS search_delete AFTER DELETE ON search BEGIN
    INSERT INTO search_word (search_word, rowid, text) VALUES ('delete', old.number, old.text);
    INSERT INTO search_piece (search_piece, rowid, text) VALUES ('delete', old.number, old.text);
END;
