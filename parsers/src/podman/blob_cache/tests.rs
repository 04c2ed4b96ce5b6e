//! Caches to whole events.

use crate::case::Case;

const CACHE: &[u8] = include_bytes!(
    "../../../../testdata/podman.blob_cache/known-locations/evidence/var/lib/containers/cache/blob-info-cache-v1.boltdb"
);

#[test]
fn a_location_is_where_a_blob_was_seen() {
    let found =
        Case::default().with("cache/blob-info-cache-v1.boltdb", CACHE).read("podman.blob_cache");
    let seen = found.all("see");
    assert_eq!(seen.len(), 2, "{found:#?}");
    assert_eq!(seen[0]["repository"], "registry.example:5000/lab/api");
    assert_eq!(seen[1]["datetime_ns"], "2024-05-01T12:00:00.000000005Z");
    assert_eq!(found.only("write")["layer_digests"].as_array().unwrap().len(), 1);
    assert_eq!((found.issues.len(), found.records), (0, 5));
}

#[test]
fn a_cache_without_its_database_says_nothing() {
    let found = Case::default()
        .with("cache/blob-info-cache-v1.sqlite-wal", "x")
        .with("cache/blob-info-cache-v1.boltdb", "y")
        .read("podman.blob_cache");
    assert!(found.events.is_empty());
    assert_eq!(found.issues.len(), 1, "{:?}", found.issues);
}
