#!/usr/bin/env python3
"""Writes the caches of the case `known-locations`: a BoltDB and an SQLite database with the buckets and tables of containers/image
(pkg/blobinfocache/boltdb, sqlite), since no host at hand has a location in its cache. Usage: make-caches.py <folder of the case>."""
import os, sqlite3, struct, sys

ROOT = os.path.join(sys.argv[1], "evidence")
SCOPE = "registry.example:5000"
LAYER = "sha256:" + "8980951501f316618c729c281cc3fd29acb6da39e09dda5f16a237220df1c510"
DIFF = "sha256:" + "3124a9b1c87caf36409488297d74fa1d342d5e8391764a8271e09007963e62ec"


def gob_time(seconds, nanos):
    return struct.pack(">BqiH", 1, seconds + 62135596800, nanos, 0xFFFF)


def leaf(page, items):
    """A leaf of (key, value); a dict is a bucket inside the page."""
    head, elements, data = struct.pack("<QHHI", page, 2, len(items), 0), b"", b""
    for index, (key, value) in enumerate(sorted(items.items())):
        flags, body = 0, value
        if isinstance(value, dict):
            flags, body = 1, struct.pack("<QQ", 0, 0) + leaf(0, value)
        at = 16 * (len(items) - index) + len(data)
        elements += struct.pack("<IIII", flags, at, len(key), len(body))
        data += key.encode() + body
    return head + elements + data


def fnv(data):
    total = 0xCBF29CE484222325
    for byte in data:
        total = ((total ^ byte) * 0x100000001B3) % (1 << 64)
    return total


def meta(page, transaction):
    body = struct.pack("<IIIIQQQQQ", 0xED0CDAED, 2, 4096, 0, 3, 0, 2, 4, transaction)
    return struct.pack("<QHHI", page, 4, 0, 0) + body + struct.pack("<Q", fnv(body))


def bolt(path):
    locations = {"docker": {SCOPE: {LAYER: {
        "registry.example:5000/lab/web": gob_time(1714564800, 5),
        "registry.example:5000/lab/api": gob_time(1714651200, 0),
    }}}}
    root = {"knownLocations": locations, "uncompressedDigest": {LAYER: DIFF.encode(), DIFF: DIFF.encode()},
            "digestCompressor": {LAYER: b"gzip"}}
    free = struct.pack("<QHHI", 2, 16, 0, 0)
    with open(path, "wb") as file:
        for page in [meta(0, 1), meta(1, 2), free, leaf(3, root)]:
            file.write(page.ljust(4096, b"\0"))


def sqlite(path):
    if os.path.exists(path):
        os.remove(path)
    base = sqlite3.connect(path)
    base.executescript("""
        CREATE TABLE DigestUncompressedPairs(anyDigest TEXT NOT NULL PRIMARY KEY, uncompressedDigest TEXT NOT NULL);
        CREATE TABLE DigestCompressors(digest TEXT NOT NULL PRIMARY KEY, compressor TEXT NOT NULL);
        CREATE TABLE KnownLocations(transport TEXT NOT NULL, scope TEXT NOT NULL, digest TEXT NOT NULL, location TEXT NOT NULL,
            time INTEGER NOT NULL, PRIMARY KEY (transport, scope, digest, location));""")
    base.execute("INSERT INTO DigestUncompressedPairs VALUES (?, ?)", (LAYER, DIFF))
    rows = [("web", "2024-05-01 14:00:00.5+02:00"), ("gone", "2024-05-02 00:00:00+00:00"), ("odd", "yesterday")]
    for name, time in rows:
        base.execute("INSERT INTO KnownLocations VALUES ('docker', ?, ?, ?, ?)", (SCOPE, LAYER, f"{SCOPE}/lab/{name}", time))
    base.commit()
    base.close()


bolt(os.path.join(ROOT, "var/lib/containers/cache/blob-info-cache-v1.boltdb"))
sqlite(os.path.join(ROOT, "home/alice/.local/share/containers/cache/blob-info-cache-v1.sqlite"))
