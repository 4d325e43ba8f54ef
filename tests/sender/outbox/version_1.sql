-- An outbox as version 1 of the schema left it: one entry of each kind, a route that rests.
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA application_id = 1397576772;
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
BEGIN TRANSACTION;
CREATE TABLE entries (
        id TEXT NOT NULL PRIMARY KEY,
        message INTEGER NOT NULL REFERENCES messages (key),
        recipient TEXT NOT NULL,
        searched TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN (
            'ready', 'sending', 'in_doubt', 'accepted', 'refused', 'held', 'dropped'
        )),
        changed_at INTEGER NOT NULL,
        next_attempt_at INTEGER NOT NULL,
        tries INTEGER NOT NULL,
        doubts INTEGER NOT NULL,
        only_route TEXT NOT NULL,
        route TEXT NOT NULL,
        code TEXT NOT NULL,
        attempts TEXT NOT NULL,
        lease_owner TEXT NOT NULL,
        lease_token TEXT NOT NULL,
        lease_until INTEGER,
        doubt_token TEXT NOT NULL
    ) STRICT
    ;
INSERT INTO "entries" VALUES('01kjmma2g0bn4400j8sz555bwd',1,'ann@example.org','ann@example.org
hi
<1@example.org>',1772366400000,1772712000000,'accepted',1772366400000,1772366400000,0,0,'','custom','','[[1772366400000, "custom", "", "250 2.0.0 queued"]]','','',NULL,'cf49d22d52c62c10');
INSERT INTO "entries" VALUES('01kjmma2g0bn4400j8sz555bwe',2,'bo@example.org','bo@example.org
grüsse
<1@example.org>',1772366400000,1772712000000,'in_doubt',1772366400000,1772366400000,0,0,'','custom','','[]','1-aaaa','cf49d22d52c62c10',1772367060000,'cf49d22d52c62c10');
INSERT INTO "entries" VALUES('01kjmma2g0bn4400j8sz555bwf',2,'cy@example.org','cy@example.org
grüsse
<1@example.org>',1772366400000,1772712000000,'ready',1772366400000,1772366460000,1,0,'','custom','connect.refused','[[1772366400000, "custom", "connect.refused", "451 4.3.0 later"]]','','',NULL,'');
INSERT INTO "entries" VALUES('01kjmma2g0bn4400j8sz555bwg',3,'di@example.org','di@example.org
hi
<1@example.org>',1772366400000,1772712000000,'refused',1772366400000,1772366400000,0,0,'','custom','recipient.unknown','[[1772366400000, "custom", "recipient.unknown", "451 4.3.0 later"]]','','',NULL,'');
INSERT INTO "entries" VALUES('01kjmma2g0bn4400j8sz555bwh',4,'ed@example.org','ed@example.org
hi
<1@example.org>',1772366400000,1772712000000,'sending',1772366400000,1772366400000,0,0,'','','','[]','1-aaaa','709cb17e5d904a51',1772366520000,'');
CREATE TABLE health_events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        route TEXT NOT NULL,
        at INTEGER NOT NULL,
        code TEXT NOT NULL,
        out_since INTEGER,
        fallbacks INTEGER NOT NULL,
        taken_until INTEGER NOT NULL
    ) STRICT
    ;
INSERT INTO "health_events" VALUES(1,'began','custom',1772366400000,'connect.refused',1772366400000,0,0);
CREATE TABLE messages (
        key INTEGER PRIMARY KEY,
        message_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        size INTEGER NOT NULL,
        metadata TEXT NOT NULL,
        payload BLOB NOT NULL
    ) STRICT
    ;
INSERT INTO "messages" VALUES(1,'<1@example.org>','invitation','Hi',33,'{"link": "https://example.org/\u00e9"}',X'7061796C6F6164');
INSERT INTO "messages" VALUES(2,'<1@example.org>','invitation','Grüße',32,'{"link": "https://example.org/\u00e9"}',X'00FF20726177');
INSERT INTO "messages" VALUES(3,'<1@example.org>','invitation','Hi',33,'{"link": "https://example.org/\u00e9"}',X'7061796C6F6164');
INSERT INTO "messages" VALUES(4,'<1@example.org>','invitation','Hi',33,'{"link": "https://example.org/\u00e9"}',X'7061796C6F6164');
CREATE TABLE route_health (
        route TEXT NOT NULL PRIMARY KEY,
        failures INTEGER NOT NULL,
        resting_until INTEGER,
        shut INTEGER NOT NULL,
        code TEXT NOT NULL,
        probe_token TEXT NOT NULL,
        probe_until INTEGER,
        out_since INTEGER,
        fallbacks INTEGER NOT NULL,
        uncertain INTEGER NOT NULL
    ) STRICT
    ;
INSERT INTO "route_health" VALUES('custom',1,1772366460000,0,'connect.refused','',NULL,1772366400000,2,0);
INSERT INTO "route_health" VALUES('default',0,NULL,0,'','',NULL,NULL,0,1);
CREATE INDEX entries_by_message ON entries (message);
CREATE INDEX entries_by_state ON entries (state, id);
CREATE INDEX entries_ready ON entries (next_attempt_at, id) WHERE state = 'ready';
CREATE INDEX entries_leased ON entries (state, lease_until, id) WHERE lease_until IS NOT NULL;
CREATE TRIGGER message_without_entries AFTER DELETE ON entries
    WHEN NOT EXISTS (SELECT 1 FROM entries WHERE message = OLD.message)
    BEGIN
        DELETE FROM messages WHERE key = OLD.message;
    END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('health_events',1);
COMMIT;
