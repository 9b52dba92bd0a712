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
CREATE INDEX IF NOT EXISTS record_filename ON record (json_extract(doc, '$.filename')) WHERE kind = 'song';
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
-- Every word there is, with how many have it.
CREATE VIRTUAL TABLE IF NOT EXISTS search_term USING fts5vocab(search_word, 'row');
CREATE TRIGGER IF NOT EXISTS search_insert AFTER INSERT ON search BEGIN
    INSERT INTO search_word (rowid, text) VALUES (new.number, new.text);
    INSERT INTO search_piece (rowid, text) VALUES (new.number, new.text);
END;
CREATE TRIGGER IF NOT EXISTS search_delete AFTER DELETE ON search BEGIN
    INSERT INTO search_word (search_word, rowid, text) VALUES ('delete', old.number, old.text);
    INSERT INTO search_piece (search_piece, rowid, text) VALUES ('delete', old.number, old.text);
END;

-- Songs as people look for them, made from the records in the same transaction (shelves.py); never replicated.
CREATE TABLE IF NOT EXISTS song (
    number    INTEGER PRIMARY KEY,   -- of its record
    dice      INTEGER NOT NULL,      -- from the song's key: tells equal ones apart alike on every node, orders by chance
    sort      TEXT NOT NULL,         -- artist, album, disc, track, title
    title     TEXT NOT NULL,         -- as compared
    album     TEXT NOT NULL,         -- id
    album_title TEXT NOT NULL,
    artist    TEXT NOT NULL,         -- id of the album's artist
    artist_name TEXT NOT NULL,
    disc      INTEGER NOT NULL,
    track     INTEGER NOT NULL,
    year      INTEGER NOT NULL,      -- 0 if unknown
    duration_ms INTEGER NOT NULL,
    size      INTEGER NOT NULL,      -- bytes
    bitrate   INTEGER NOT NULL,
    format    TEXT NOT NULL,
    added_at  TEXT NOT NULL,
    added_by  TEXT NOT NULL,         -- letter case folded
    has_cover INTEGER NOT NULL       -- in the file, or uploaded
);
CREATE INDEX IF NOT EXISTS song_sort ON song (sort, dice);
CREATE INDEX IF NOT EXISTS song_title ON song (title, dice);
CREATE INDEX IF NOT EXISTS song_added ON song (added_at, dice);
CREATE INDEX IF NOT EXISTS song_year ON song (year, dice);
CREATE INDEX IF NOT EXISTS song_album ON song (album, disc, track);
CREATE TABLE IF NOT EXISTS song_artist (
    artist TEXT, song INTEGER, name TEXT NOT NULL, PRIMARY KEY (artist, song)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS song_artist_song ON song_artist (song);
CREATE TABLE IF NOT EXISTS song_genre (
    genre TEXT, song INTEGER, name TEXT NOT NULL, PRIMARY KEY (genre, song)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS song_genre_song ON song_genre (song);
CREATE TABLE IF NOT EXISTS album (
    id TEXT PRIMARY KEY, dice INTEGER NOT NULL,
    sort TEXT NOT NULL,              -- artist, year, title
    title_sort TEXT NOT NULL, found TEXT NOT NULL,   -- what it is found by, with a space before every word
    title TEXT NOT NULL, artist TEXT NOT NULL, artist_name TEXT NOT NULL, year INTEGER NOT NULL,
    songs INTEGER NOT NULL, discs INTEGER NOT NULL, duration_ms INTEGER NOT NULL, size INTEGER NOT NULL,
    has_cover INTEGER NOT NULL, added_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS album_sort ON album (sort, dice);
CREATE INDEX IF NOT EXISTS album_artist ON album (artist);
CREATE INDEX IF NOT EXISTS album_added ON album (added_at, dice);
CREATE TABLE IF NOT EXISTS artist (
    id TEXT PRIMARY KEY, dice INTEGER NOT NULL, sort TEXT NOT NULL, found TEXT NOT NULL, name TEXT NOT NULL,
    songs INTEGER NOT NULL, albums INTEGER NOT NULL, appears_on INTEGER NOT NULL, duration_ms INTEGER NOT NULL,
    size INTEGER NOT NULL, has_cover INTEGER NOT NULL, added_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS artist_sort ON artist (sort, dice);

-- How often what a name stands for has changed: what was counted before is still true while this is the same.
CREATE TABLE IF NOT EXISTS changes (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;

-- What each person has done with each song, album and artist; follows the records of kind mark.
CREATE TABLE IF NOT EXISTS mark (
    user TEXT NOT NULL, what TEXT NOT NULL, id TEXT NOT NULL,
    starred_at TEXT NOT NULL, rating INTEGER NOT NULL, plays INTEGER NOT NULL, played_at TEXT NOT NULL,
    PRIMARY KEY (user, what, id)) WITHOUT ROWID;

-- Wrong passwords at this node; of no interest to others.
CREATE TABLE IF NOT EXISTS attempt (
    who TEXT PRIMARY KEY, failures INTEGER NOT NULL, at_s REAL NOT NULL, until_s REAL NOT NULL) WITHOUT ROWID;

-- What changed, in order, for those who watch; the oldest is dropped.
CREATE TABLE IF NOT EXISTS change (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS record_made AFTER INSERT ON record BEGIN
    INSERT INTO change (kind, key) VALUES (new.kind, new.key);
    DELETE FROM change WHERE number <= (SELECT max(number) FROM change) - 10000;
END;
CREATE TRIGGER IF NOT EXISTS record_changed AFTER UPDATE OF doc ON record BEGIN
    INSERT INTO change (kind, key) VALUES (new.kind, new.key);
    DELETE FROM change WHERE number <= (SELECT max(number) FROM change) - 10000;
END;
