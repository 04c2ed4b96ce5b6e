#!/usr/bin/env python3
"""Makes volume.raw.zst and expected.tsv in the current directory, as root, with mkntfs and NTFS-3G."""
import os, stat, struct, subprocess, tempfile

IMAGE = "volume.raw"
# NTFS-3G makes other targets of the links of Windows, and links of what it does not support.
WINDOWS = [b"windows link", b"junction", b"overlay filter", b"in the cloud", b"with a short name"]
OPTIONS = "compression,streams_interface=xattr,special_files="


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def mounted(options, work):
    place = tempfile.mkdtemp()
    run("ntfs-3g", "-o", OPTIONS + options, IMAGE, place)
    try:
        os.chdir(place)
        return work()
    finally:
        os.chdir(HERE)
        run("umount", place)
        os.rmdir(place)


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def reparse(path, tag, data):
    os.setxattr(path, "system.ntfs_reparse_data", struct.pack("<LHH", tag, len(data), 0) + data)


def windows_link(substitute, shown, flags):
    substitute, shown = substitute.encode("utf-16le"), shown.encode("utf-16le")
    numbers = struct.pack("<HHHH", 0, len(substitute), len(substitute), len(shown))
    return numbers + flags + substitute + shown


def populate():
    pattern = b"".join(b"%06d " % number for number in range(40000))
    # On a full volume, what follows files of one cluster each, every other one gone, is in many pieces.
    os.mkdir("many")
    with open("filler", "wb", 0) as file:
        try:
            while file.write(bytes(1024)):
                pass
        except OSError:
            file.truncate(file.tell() - (1450 << 10))
    for number in range(600):
        write(f"many/name of file {number:03}", b"%03d" % number * 300)
    with open("filler", "ab", 0) as file:
        try:
            while file.write(bytes(1024)):
                pass
        except OSError:
            pass
    for number in range(0, 600, 2):
        os.unlink(f"many/name of file {number:03}")
    with open("fragmented", "wb", 0) as file:
        for at in range(0, 240000, 1000):
            file.write(pattern[at:at + 1000])
    os.unlink("filler")
    os.mkdir("packed")
    os.setxattr("packed", "system.ntfs_attrib_be", struct.pack(">L", 0x810))
    noise = os.urandom(20000)
    write("packed/numbers", pattern[:200001])
    write("packed/mixed", pattern[:30000] + noise + bytes(100000) + b"end")
    write("packed/noise", noise)
    write("packed/short", b"abc" * 4)
    with open("packed/sparse", "wb") as file:
        file.truncate(70000)
        file.seek(50000)
        file.write(pattern[:5000])
    with open("sparse", "wb") as file:
        file.seek(3000000000)
        file.write(b"middle")
        file.truncate(4000000000)
    write("empty", b"")
    write("hard", b"linked")
    for number in range(30):
        os.link("hard", f"hard link with a name number {number}")
    for name in [b"caf\xc3\xa9", "🐳 \u20ac".encode(), b"half \xed\xa0\xbd", b"x" * 255]:
        write(name, name)
    write("with-streams", b"content")
    os.setxattr("with-streams", "user.Zone.Identifier", b"[ZoneTransfer]\r\nZoneId=3\r\n")
    os.setxattr("with-streams", "user.other", pattern[:3000])
    write("with a short name", b"8.3")
    os.setxattr("with a short name", "system.ntfs_dos_name", b"WITHAS~1")
    write("times", b"")
    times = [132_000_000_000_000_001, 114_000_000_000_000_007, 138_000_000_000_000_003, 1]
    os.setxattr("times", "system.ntfs_times", struct.pack("<4q", *times))
    os.symlink("../interix/target", "interix link")
    os.mknod("interix device", 0o600 | stat.S_IFBLK, os.makedev(259, 70000))
    write("windows link", b"")
    reparse("windows link", 0xA000000C, windows_link("\\??\\C:\\real", "C:\\shown", bytes(4)))
    os.mkdir("junction")
    reparse("junction", 0xA0000003, windows_link("\\??\\C:\\place", "C:\\place", b""))
    write("overlay filter", b"")
    reparse("overlay filter", 0x80000017, bytes(16))
    write("in the cloud", b"stub")
    reparse("in the cloud", 0x9000601A, bytes(16))


def populate_linux():
    os.mkdir("linux")
    os.symlink("/etc/passwd", "linux/link")
    os.mknod("linux/whiteout", 0o600 | stat.S_IFCHR, os.makedev(0, 0))
    os.mknod("linux/disk", 0o640 | stat.S_IFBLK, os.makedev(8, 1))
    os.mkfifo("linux/fifo")
    os.mknod("linux/socket", 0o755 | stat.S_IFSOCK)


def fnv(bytes):
    hash = 0xCBF29CE484222325
    for byte in bytes:
        hash = (hash ^ byte) * 0x100000001B3 & (2**64 - 1)
    return f"{hash:016x}"


def parts(path, size):
    """The first and the last 64 KiB, and what lies before the latter, in large files."""
    with open(path, "rb") as file:
        if size <= 1 << 20:
            return file.read()
        found = file.read(1 << 16)
        for at in [3000000000 - 3000, size - (1 << 16)]:
            file.seek(at)
            found += file.read(1 << 16)
        return found


def line(path):
    found = os.lstat(path)
    kind = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link", stat.S_IFIFO: "fifo",
            stat.S_IFSOCK: "socket", stat.S_IFCHR: "character", stat.S_IFBLK: "block"}[stat.S_IFMT(found.st_mode)]
    attributes = {name: os.getxattr(path, name, follow_symlinks=False)
                  for name in ([] if kind != "file" else os.listxattr(path, follow_symlinks=False))
                  if name.startswith("user.")}
    times = os.getxattr(path, "system.ntfs_times", follow_symlinks=False)
    times = [f"{t // 10**7 - 11644473600}.{t % 10**7 * 100:09}" for t in struct.unpack("<4q", times)]
    device = f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}" if kind in ("character", "block") else "-"
    content = "-"
    if kind == "file":
        content = fnv(parts(path, found.st_size))
    elif kind == "link":
        content = os.readlink(path).hex()
    attributes = [f"{name}={fnv(value)}" for name, value in sorted(attributes.items())]
    size = found.st_size if kind in ("file", "link") else 0
    return "\t".join([path[2:].decode("utf-8", "backslashreplace"), kind, str(size),
                      str(found.st_nlink), str(found.st_ino), *times, device, content, ",".join(attributes) or "-"])


def expected():
    found = []
    for directory, names, files in os.walk(b"."):
        found += [line(os.path.join(directory, name)) for name in names + files if name not in WINDOWS]
    return "\n".join(sorted(found)) + "\n"


HERE = os.getcwd()
with open(IMAGE, "wb") as file:
    file.truncate(4 << 20)
run("mkntfs", "-F", "-Q", "-c", "1024", "-L", "Label €", IMAGE)
mounted("interix", populate)
mounted("wsl", populate_linux)
with open("expected.tsv", "w") as file:
    file.write(mounted("wsl,ro", expected))
run("zstd", "-19", "--long=27", "-f", "--rm", IMAGE)
