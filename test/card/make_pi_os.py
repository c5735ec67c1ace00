# SPDX-License-Identifier: BSD-2-Clause
"""make_pi_os FOLDER: a disk image with a boot partition like that of Raspberry Pi OS, on which
tools/install_boot has put ebb.  make_pi_os --check FOLDER: its other files are as they were."""
import os
import subprocess
import sys

IMAGE_BYTES = 256 << 20
START = 4 << 20
FILES = {"config.txt": "arm_boost=1\n[all]\n", "cmdline.txt": "console=tty1 root=/dev/mmcblk0p2\n",
         "bootcode.bin": "b" * 50000, "start.elf": "s" * 3000000, "fixup.dat": "f" * 7000,
         "kernel8.img": "linux" * 100000, "overlays/miniuart-bt.dtbo": "o" * 1500}
ENVIRONMENT = dict(os.environ, MTOOLS_SKIP_CHECK="1", MTOOLSRC="/dev/null",
                   PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def run(*command):
    return subprocess.run(command, check=True, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, timeout=60).stdout


def make(folder):
    boot = os.path.join(folder, "boot")
    for name, text in FILES.items():
        path = os.path.join(boot, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    os.makedirs(os.path.join(folder, "proc"))
    with open(os.path.join(folder, "proc/mounts"), "w", encoding="ascii") as file:
        file.write("/dev/sdb1 %s vfat rw 0 0\n" % os.path.realpath(boot))
    run("tools/install_boot", "--root", folder, "--swap-mib", "32", "build/raspi3/boot", boot)
    image = os.path.join(folder, "disk.img")
    with open(image, "wb") as file:
        file.truncate(IMAGE_BYTES)
        entry = bytes((0, 0xfe, 0xff, 0xff, 0x0c, 0xfe, 0xff, 0xff)) + (START // 512).to_bytes(4, "little") + \
            ((IMAGE_BYTES - START) // 512).to_bytes(4, "little")
        file.seek(446)
        file.write(entry.ljust(64, b"\0") + b"\x55\xaa")
    run("mkfs.fat", "-F", "32", "-n", "bootfs", "-s", "4", "-h", str(START // 512), "--offset", str(START // 512),
        image, str((IMAGE_BYTES - START) // 1024))
    names = sorted(os.path.join(boot, name) for name in os.listdir(boot))
    run("mcopy", "-s", "-i", "%s@@%d" % (image, START), *names, "::/")


def check(folder):
    drive = "%s@@%d" % (os.path.join(folder, "disk.img"), START)
    for name, text in FILES.items():
        if name != "config.txt" and run("mcopy", "-i", drive, "::/" + name, "-").decode() != text:
            sys.exit("%s has changed" % name)
    config = run("mcopy", "-i", drive, "::/config.txt", "-").decode()
    if not config.startswith(FILES["config.txt"]) or "kernel=ebb8.img" not in config:
        sys.exit("config.txt is not what was installed")


if sys.argv[1] == "--check":
    check(sys.argv[2])
else:
    make(sys.argv[1])
