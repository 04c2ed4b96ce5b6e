#!/bin/sh
# Makes the images of this directory; needs root, loop devices, e2fsprogs 1.47, zstd and python3.
set -e
m=$(mktemp -d)
uuid=11111111-2222-3333-4444-555555555555

host() {
  mkdir -p $m/etc $m/var/log $m/large $m/overlay/opaque
  echo web1 > $m/etc/hostname
  ln -s /proc/mounts $m/etc/mtab
  ln -s $(printf 'x%.0s' $(seq 100)) $m/etc/long
  printf short > $m/etc/short
  head -c 140 /etc/services > $m/etc/inline
  mknod $m/overlay/whiteout c 0 0
  mknod $m/overlay/disk b 259 70000
  python3 - $m <<'PY'
import os, sys
m = sys.argv[1]
os.setxattr(m + '/overlay/opaque', 'trusted.overlay.opaque', b'y')
for n in range(20):
    open(f'{m}/overlay/f{n}', 'w').close()
    os.setxattr(f'{m}/overlay/f{n}', 'user.long', b'v' * 300)
try: os.setxattr(m + '/etc/hostname', 'user.huge', b'h' * 6000)
except OSError: pass # only with ea_inode
os.setxattr(m + '/etc/hostname', 'user.small', b's')
for n in range(120): open(f'{m}/large/name-{n:04}', 'w').write('x' * (n % 7))
files = [os.open(m + '/var/log/' + name, os.O_CREAT | os.O_RDWR) for name in ('fragmented', 'other')]
for odd in (0, 1):
    for n in range(odd, 40, 2):
        for file, distance in zip(files, (1, 9)):
            os.pwrite(file, bytes([n]) * 1024, n * 1024 * distance)
            os.fsync(file)
os.utime(m + '/etc/short', ns=(-1_000_000_001, 4_000_000_000_999_999_999))
PY
}

whole() { # name, size, options of mke2fs
  truncate -s $2 $1.img; mke2fs -q -F -U $uuid -L test -b 1024 $3 $1.img
  mount -o loop $1.img $m; host; umount $m; zstd -q -f -19 --long --rm $1.img
}

dirty() { # name, options of mke2fs, options of mount, files: copied while mounted, and recovered
  truncate -s 16M $1.img; mke2fs -q -F -U $uuid -b 1024 -N 512 -J size=4 $2 $1.img
  mount -o loop$3 $1.img $m; mkdir $m/before $m/gone
  python3 - $m <<'PY'
import os, sys
m = sys.argv[1]
for n in range(60): open(f'{m}/gone/old-name-{n:04}', 'w').write('old' * 400)
open(m + '/before/file', 'w').write('before' * 1000)
os.sync()
PY
  umount $m; mount -o loop$3 $1.img $m
  python3 - $m $4 <<'PY'
import os, shutil, sys
m = sys.argv[1]
def write(path, content):
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_TRUNC)
    os.write(file, content); os.fsync(file); os.close(file)
write(m + '/escaped', b'\xc0\x3b\x39\x98 begins like the journal'.ljust(1024, b'.') * 3)
root = os.open(m, os.O_RDONLY)
for n in range(6):
    os.mkdir(f'{m}/short-{n}')
    for k in range(40): open(f'{m}/short-{n}/a-name-{k:04}', 'w').close()
os.fsync(root)
for n in range(6): shutil.rmtree(f'{m}/short-{n}')
for n in range(60): os.unlink(f'{m}/gone/old-name-{n:04}')
os.rmdir(m + '/gone'); os.fsync(root)
for n in range(int(sys.argv[2])): write(f'{m}/new-{n}', bytes([n + 1]) * 20000)
os.rename(m + '/before/file', m + '/after'); write(m + '/before/file', b'another')
os.mknod(m + '/whiteout', 0o20000, 0); os.setxattr(m + '/before', 'trusted.overlay.opaque', b'y')
os.fsync(root)
PY
  cp --sparse=always $1.img copy.img; umount $m; mv copy.img $1.img
  cp --sparse=always $1.img $1-recovered.img; mount -o loop $1-recovered.img $m; umount $m
  zstd -q -f -19 --long --rm $1.img $1-recovered.img
}

whole ext4 3M "-t ext4 -N 256 -J size=1 -O inline_data,ea_inode,metadata_csum,64bit,^resize_inode"
whole ext2 2M "-t ext2 -N 256 -I 128 -O ^resize_inode"
dirty csum-v3 "-t ext4 -O metadata_csum,64bit,^resize_inode" "" 20
dirty escaped "-t ext4 -O metadata_csum,64bit,^resize_inode" ",data=journal" 5
dirty plain "-t ext3 -O ^resize_inode" "" 20
dirty csum-v1 "-t ext4 -O ^metadata_csum,64bit,^resize_inode" ",journal_checksum" 20

truncate -s 20M two-groups.img
mke2fs -q -F -U $uuid -L test -b 1024 -N 96 -t ext4 -O ^has_journal,^resize_inode two-groups.img
mount -o loop two-groups.img $m
for d in a b c; do mkdir $m/$d; echo content of $d > $m/$d/file; done
umount $m; zstd -q -f -19 --long --rm two-groups.img
rmdir $m
