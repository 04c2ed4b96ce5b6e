//! Databases as SQLite left them, and what damage does to them.
#![cfg(test)]

use super::*;

const PLAIN: &[u8] = include_bytes!(
    "../../../../testdata/podman.database/sqlite/evidence/var/lib/containers/storage/db.sql"
);
const LOGGED: &[u8] = include_bytes!(
    "../../../../testdata/podman.database/sqlite-write-ahead-log/evidence/var/lib/containers/storage/db.sql"
);
const LOG: &[u8] = include_bytes!(
    "../../../../testdata/podman.database/sqlite-write-ahead-log/evidence/var/lib/containers/storage/db.sql-wal"
);
const HOT: &[u8] = include_bytes!(
    "../../../../testdata/podman.database/sqlite-hot-journal/evidence/var/lib/containers/storage/db.sql"
);
const JOURNAL: &[u8] = include_bytes!(
    "../../../../testdata/podman.database/sqlite-hot-journal/evidence/var/lib/containers/storage/db.sql-journal"
);
/// A frame of the log: its header and a page.
const FRAME: usize = 24 + 4096;

/// Names of containers, transactions of the log and pages put back, flaws.
fn read(
    main: &[u8],
    wal: Option<&[u8]>,
    journal: Option<&[u8]>,
) -> (Vec<String>, Recovered, usize) {
    let main = main.to_vec();
    let (wal, journal) = (wal.map(<[u8]>::to_vec), journal.map(<[u8]>::to_vec));
    let files = Files {
        main: &main,
        wal: wal.as_ref().map(|bytes| bytes as &dyn ReadAt),
        journal: journal.as_ref().map(|bytes| bytes as &dyn ReadAt),
    };
    let (database, flaws) = Database::open(&files).unwrap();
    let rows = database.rows("ContainerConfig", &["Name"]).unwrap_or_else(|(rows, _)| rows);
    let name = |values: &[Value]| match values {
        [Value::Bytes(bytes)] => String::from_utf8(bytes.clone()).unwrap(),
        other => panic!("{other:?}"),
    };
    let mut names: Vec<String> = rows.iter().map(|(_, values)| name(values)).collect();
    names.sort();
    (names, database.recovered, flaws.len())
}

#[test]
fn committed_transactions_of_the_log_count_and_no_others() {
    let with = |wal: &[u8]| {
        let (names, recovered, flaws) = read(LOGGED, Some(wal), None);
        (names.join(" "), recovered.transactions, flaws)
    };
    assert_eq!(read(LOGGED, None, None).0, ["web"]);
    assert_eq!(with(LOG), ("priv web".to_owned(), 2, 0));
    let first_transaction = 32 + 9 * FRAME;
    assert_eq!(with(&LOG[..first_transaction]), ("priv web".to_owned(), 1, 0));
    assert_eq!(with(&LOG[..first_transaction - 1]), ("web".to_owned(), 0, 0));
    let mut torn = LOG.to_vec();
    torn[first_transaction + FRAME + 2000] ^= 1;
    assert_eq!(with(&torn), ("priv web".to_owned(), 1, 0));
    let mut older = LOG.to_vec();
    older[32 + 8] ^= 1;
    assert_eq!(with(&older), ("web".to_owned(), 0, 0), "a frame with another salt");
}

#[test]
fn a_log_that_is_none_is_a_flaw_and_costs_only_itself() {
    for (at, value) in [(0, 0), (8, 0xff), (24, 0xff)] {
        let mut wal = LOG.to_vec();
        wal[at] = value;
        assert_eq!(read(LOGGED, Some(&wal), None).2, 1, "byte {at}");
    }
    let (names, _, flaws) = read(PLAIN, Some(b"left over"), None);
    assert_eq!((names.len(), flaws), (4, 1));
    assert_eq!(read(PLAIN, Some(b""), Some(b"")).2, 0);
}

#[test]
fn a_hot_journal_puts_the_database_back() {
    let (names, recovered, flaws) = read(HOT, None, Some(JOURNAL));
    assert_eq!((names.join(" "), flaws), ("podded priv web".to_owned(), 0));
    assert!(recovered.pages_put_back > 10, "{recovered:?}");
    let mut ended = JOURNAL.to_vec();
    ended[..28].fill(0);
    let (_, recovered, flaws) = read(HOT, None, Some(&ended));
    assert_eq!((recovered.pages_put_back, flaws), (0, 0), "a journal of a transaction that ended");
}

#[test]
fn no_byte_of_a_database_makes_it_panic_or_run_without_end() {
    for at in (0..PLAIN.len()).step_by(1_999) {
        let mut bytes = PLAIN.to_vec();
        bytes[at] ^= 0xff;
        let files = Files { main: &bytes, wal: None, journal: None };
        if let Ok((database, _)) = Database::open(&files) {
            let _read_or_flaw = database.rows("ContainerConfig", &["ID", "JSON"]);
        }
    }
    for end in [0, 15, 16, 99, 100, 4096, 5000] {
        let bytes = PLAIN[..end].to_vec();
        let _read_or_flaw = Database::open(&Files { main: &bytes, wal: None, journal: None });
    }
}

#[test]
fn only_a_plain_table_is_asked() {
    let hostile = include_bytes!(
        "../../../../testdata/podman.database/hostile-sqlite/evidence/var/lib/containers/storage/db.sql"
    )
    .to_vec();
    let files = Files { main: &hostile, wal: None, journal: None };
    let (database, _) = Database::open(&files).unwrap();
    let (rows, flaw) = database.rows("ContainerConfig", &["ID"]).unwrap_err();
    assert_eq!(
        (rows.len(), flaw.what.as_str()),
        (0, "table ContainerConfig: there is no such table")
    );
    assert_eq!(database.rows("Other", &["x"]), Ok(Vec::new()));
}
