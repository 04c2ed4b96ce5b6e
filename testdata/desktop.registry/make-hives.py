#!/usr/bin/env python3
"""Makes the hives of these cases: an empty hive by hand, what libhivex 1.3.23 merges into it, and the
times of its keys by hand. usage: make-hives.py (needs hivexregedit)"""
import os, struct, subprocess, tempfile
from datetime import datetime, timezone

EPOCH = 11644473600
HERE = os.path.dirname(os.path.abspath(__file__))


def filetime(text):
    date = datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
    return (int(date.timestamp()) + EPOCH) * 10**7 + date.microsecond * 10


def checksum(block):
    total = 0
    for (word,) in struct.iter_unpack("<I", block[:508]):
        total ^= word
    return {0: 1, 0xFFFFFFFF: 0xFFFFFFFE}.get(total, total)


def empty():
    cell = b"nk" + struct.pack("<HQII", 0x2C, 0, 0, 0xFFFFFFFF)
    cell += struct.pack("<IIIIII", 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0xFFFFFFFF)
    cell += struct.pack("<IIIIIIIHH", 120, 0xFFFFFFFF, 0, 0, 0, 0, 0, 4, 0) + b"ROOT"
    cell = struct.pack("<i", -88) + cell.ljust(84, b"\0")
    # A security descriptor that all keys share.
    sk = b"sk\0\0" + struct.pack("<IIII", 120, 120, 1, 20) + b"\1\0\4\x80" + bytes(16)
    sk = struct.pack("<i", -48) + sk.ljust(44, b"\0")
    used = 32 + len(cell) + len(sk)
    free = struct.pack("<i", 4096 - used).ljust(4096 - used, b"\0")
    bin = b"hbin" + struct.pack("<II", 0, 4096) + bytes(20) + cell + sk + free
    base = b"regf" + struct.pack("<IIQIIIIIII", 1, 1, 0, 1, 5, 0, 1, 32, 4096, 1)
    base = base.ljust(508, b"\0")
    return base + struct.pack("<I", checksum(base)) + bytes(4096 - 512) + bin


def with_parents(reg):
    """hivexregedit makes no key whose parent is not there."""
    known, lines = set(), []
    for line in reg.splitlines():
        if line.startswith("["):
            names = line.strip("[]").split("\\")[1:]
            for depth in range(1, len(names)):
                parent = "\\" + "\\".join(names[:depth])
                if parent not in known:
                    lines += [f"[{parent}]", ""]
                    known.add(parent)
            known.add(line.strip("[]"))
        lines.append(line)
    return "\n".join(lines) + "\n"


def make(path, reg, times, sequences=(7, 7)):
    path = os.path.join(HERE, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "wb").write(empty())
    with tempfile.NamedTemporaryFile("w", suffix=".reg") as file:
        file.write("Windows Registry Editor Version 5.00\n\n" + with_parents(reg))
        file.flush()
        subprocess.run(["hivexregedit", "--merge", path, file.name], check=True)
    data = bytearray(open(path, "rb").read())
    at = 4096
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        cell = at + 32
        while cell < at + size:
            length = struct.unpack_from("<i", data, cell)[0]
            if length < 0 and data[cell + 4 : cell + 6] == b"nk":
                count = struct.unpack_from("<H", data, cell + 76)[0]
                name = data[cell + 80 : cell + 80 + count].decode("latin-1")
                struct.pack_into("<Q", data, cell + 8, filetime(times.get(name, "2026-01-02T03:04:05")))
            cell += abs(length)
        at += size
    struct.pack_into("<II", data, 4, *sequences)
    struct.pack_into("<Q", data, 12, filetime("2026-05-01T10:00:00"))
    struct.pack_into("<I", data, 508, checksum(data[:508]))
    open(path, "wb").write(data)


LXSS = r"\Software\Microsoft\Windows\CurrentVersion\Lxss"
UBUNTU, DOCKER = "{6c4dd47a-0b5a-4e7d-9f3e-0c6f4a4e2b11}", "{b1a0e4b6-63f7-4c0e-a4f2-7a5a1a5ce2d2}"
NTUSER = rf"""
[{LXSS}]
"DefaultDistribution"="{UBUNTU}"
"DefaultVersion"=dword:00000002

[{LXSS}\{DOCKER}]
"DistributionName"="docker-desktop"
"BasePath"="\\\\?\\C:\\Users\\ada\\AppData\\Local\\Docker\\wsl\\main"
"Version"=dword:00000002
"State"=dword:00000001
"DefaultUid"=dword:00000000
"Flags"=dword:0000000f

[{LXSS}\{UBUNTU}]
"DistributionName"="Ubuntu"
"BasePath"="D:\\wsl\\ubuntu"
"VhdFileName"="work.vhdx"
"Version"=dword:00000002
"State"=dword:00000001
"DefaultUid"=dword:000003e8
"Flags"=dword:0000000f

[{LXSS}\AppxInstallerCache]
"Nothing"=dword:00000001

[\Software\Microsoft\Windows\CurrentVersion\Run]
"Docker Desktop"="C:\\Program Files\\Docker\\Docker\\Docker Desktop.exe"
"Other"="C:\\other.exe"
"""
make("laptop/evidence/Users/ada/NTUSER.DAT", NTUSER, {
    DOCKER: "2026-02-03T09:00:00.123456", UBUNTU: "2025-11-30T18:30:01", "Run": "2026-02-03T09:00:05"})

SYSTEM = r"""
[\Select]
"Current"=dword:00000001
"Default"=dword:00000001

[\ControlSet001\Control\ComputerName\ComputerName]
"ComputerName"="ADA-LAPTOP"

[\ControlSet001\Control\TimeZoneInformation]
"Bias"=dword:ffffffc4
"DaylightBias"=dword:ffffffc4
"DaylightName"="@tzres.dll,-321"
"DaylightStart"=hex:00,00,03,00,05,00,02,00,00,00,00,00,00,00,00,00
"StandardBias"=dword:00000000
"StandardName"="@tzres.dll,-322"
"StandardStart"=hex:00,00,0a,00,05,00,03,00,00,00,00,00,00,00,00,00
"TimeZoneKeyName"="W. Europe Standard Time"
"DynamicDaylightTimeDisabled"=dword:00000000

[\ControlSet001\Services\com.docker.service]
"DisplayName"="Docker Desktop Service"
"ImagePath"="\"C:\\Program Files\\Docker\\Docker\\com.docker.service\""
"Start"=dword:00000003
"Type"=dword:00000010
"""
make("laptop/evidence/Windows/System32/config/SYSTEM", SYSTEM, {
    "TimeZoneInformation": "2026-03-29T01:00:00.5", "com.docker.service": "2026-02-03T08:58:00"})

SOFTWARE = r"""
[\Docker Inc.\Docker Desktop]
"AppPath"="C:\\Program Files\\Docker\\Docker"
"Version"="4.34.0"

[\Docker Inc.\Docker\1.0]
"AppPath"="C:\\Program Files\\Docker\\Docker"

[\Microsoft\Windows\CurrentVersion\Uninstall\Docker Desktop]
"DisplayName"="Docker Desktop"
"DisplayVersion"="4.34.0"
"InstallDate"="20260203"
"InstallLocation"="C:\\Program Files\\Docker\\Docker"

[\Microsoft\Windows\CurrentVersion\Uninstall\Other]
"DisplayName"="Other"
"""
make("laptop/evidence/Windows/System32/config/SOFTWARE", SOFTWARE, {
    "Docker Desktop": "2026-02-03T08:58:30", "1.0": "2025-05-05T05:05:05"})

# A hive that was not written to the end, of a user whose logs are gone; and what is no hive.
make("hostile/evidence/USERS/eve/ntuser.dat", NTUSER, {DOCKER: "2026-02-03T09:00:00"}, (9, 8))
path = os.path.join(HERE, "hostile/evidence/USERS/eve/ntuser.dat")
data = bytearray(open(path, "rb").read())
# The distribution Ubuntu becomes a cell that is no key, and a list names it twice.
data[data.index(UBUNTU.encode()) - 76 : data.index(UBUNTU.encode()) - 74] = b"xx"
open(path, "wb").write(data)
os.makedirs(os.path.join(HERE, "hostile/evidence/Windows/System32/config"), exist_ok=True)
open(os.path.join(HERE, "hostile/evidence/Windows/System32/config/SYSTEM"), "wb").write(bytes(8192))
open(os.path.join(HERE, "hostile/evidence/Windows/System32/config/SOFTWARE"), "wb").write(empty()[:5000])
