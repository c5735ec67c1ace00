# SPDX-License-Identifier: BSD-2-Clause
"""What goes onto a real card: every refusal of flash_card and install_boot, and what they write."""
import importlib.machinery
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CARD_BYTES = 8 << 20


def load(name):
    """A tool as a module."""
    path = os.path.join(ROOT, "tools", name)
    loader = importlib.machinery.SourceFileLoader(name, path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


flash_card = load("flash_card")


def put(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


class Flash(unittest.TestCase):
    """A machine of files: sdb, a card of 8 MiB in a reader, with one partition; sda, its disk."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = self.folder.name
        self.sys = self.root + "/sys/class/block/"
        self.disk("sdb", removable="1")
        self.disk("sda", removable="0", numbers="8:0")
        for name, of in (("sdb1", "sdb"), ("sda1", "sda")):
            put(self.sys + "%s/%s/partition" % (of, name), "1\n")
            put(self.sys + "%s/%s/dev" % (of, name), {"sdb1": "8:17", "sda1": "8:1"}[name])
            put(self.sys + "%s/%s/size" % (of, name), "1000\n")
            os.symlink("%s/%s" % (of, name), self.sys + name)
            put(self.root + "/dev/" + name, "")
        put(self.root + "/proc/self/mountinfo", "25 1 8:1 / / rw - ext4 /dev/sda1 rw\n")
        put(self.root + "/proc/swaps", "Filename Type Size Used Priority\n")
        self.image = self.root + "/card.img"
        with open(self.image, "wb") as file:
            file.write(os.urandom(5 << 20))
            file.seek(510)
            file.write(b"\x55\xaa")

    def disk(self, name, removable, numbers="8:16", size=CARD_BYTES):
        for key, text in (("removable", removable), ("size", str(size // 512)), ("ro", "0"), ("dev", numbers),
                          ("device/vendor", "Generic "), ("device/model", "Card Reader")):
            put(self.sys + name + "/" + key, text + "\n")
        os.makedirs(self.sys + name + "/holders")
        os.makedirs(self.root + "/dev", exist_ok=True)
        with open(self.root + "/dev/" + name, "wb") as file:
            file.truncate(size)

    def run_it(self, device="/dev/sdb", yes="sdb", typed=None):
        """None or the refusal; what it printed is in self.printed."""
        out = io.StringIO()
        options = mock.Mock(root=self.root, yes=yes, image=self.image, device=device)
        answer = typed if callable(typed) else lambda: typed
        with mock.patch("sys.stdout", out), mock.patch("sys.stdin", mock.Mock(isatty=lambda: typed is not None)), \
                mock.patch("builtins.input", lambda _: answer()):
            try:
                flash_card.flash(options)
                refusal = None
            except flash_card.Refused as error:
                refusal = str(error)
        self.printed = out.getvalue()
        return refusal

    def card(self, name="sdb"):
        with open(self.root + "/dev/" + name, "rb") as file:
            return file.read()

    def assert_refused(self, words, **arguments):
        before = self.card()
        self.assertIn(words, self.run_it(**arguments) or "not refused")
        self.assertEqual(self.card(), before)

    def test_writes_verifies_and_tells(self):
        self.assertIsNone(self.run_it())
        with open(self.image, "rb") as file:
            data = file.read()
        self.assertEqual(self.card()[:len(data)], data)
        for words in ("Generic Card Reader, 0.0 GB", "sdb1", "All that is on it will be lost",
                      "/dev/sdb: %d bytes written and verified" % len(data)):
            self.assertIn(words, self.printed)

    def test_sd_slot_is_removable_by_its_type(self):
        put(self.sys + "sdb/removable", "0\n")
        self.assert_refused("not removable")
        put(self.sys + "sdb/device/type", "SD\n")
        self.assertIsNone(self.run_it())

    def test_what_is_no_disk(self):
        self.assert_refused("expected a device such as /dev/sdb", device="sdb")
        self.assert_refused("no such device", device="/dev/sdz")
        self.assert_refused("a partition, not a whole disk; is it /dev/sdb", device="/dev/sdb1")
        os.makedirs(self.root + "/dev/folder")
        self.assert_refused("not a disk", device="/dev/folder")
        put(self.root + "/dev/sdc", "")
        self.assert_refused("the system knows no such disk", device="/dev/sdc")
        self.disk("loop0", removable="1", numbers="7:0")
        shutil.rmtree(self.sys + "loop0/device")
        self.assert_refused("no real disk", device="/dev/loop0")

    def test_link_to_the_machines_disk(self):
        os.symlink("sda", self.root + "/dev/card")
        self.assert_refused("/dev/sda: Generic Card Reader, 0.0 GB: not removable", device="/dev/card")

    def test_size_and_protection(self):
        put(self.sys + "sdb/ro", "1\n")
        self.assert_refused("write-protected")
        put(self.sys + "sdb/ro", "0\n")
        put(self.sys + "sdb/size", "0\n")
        self.assert_refused("no card in the reader")
        put(self.sys + "sdb/size", "10000\n")
        self.assert_refused("5120000 bytes, the image has 5242880")
        put(self.sys + "sdb/size", "1000000001\n")
        self.assert_refused("more than 512 GB")

    def test_what_is_in_use(self):
        mounts = self.root + "/proc/self/mountinfo"
        put(mounts, "30 1 8:17 / /media/card rw shared:1 - vfat /dev/sdb1 rw\n")
        self.assert_refused("/dev/sdb1: mounted at /media/card; unmount it first")
        put(mounts, "30 1 8:16 / /media/card rw - vfat /dev/root rw\n")
        self.assert_refused("/dev/sdb: mounted at /media/card")
        put(mounts, "30 1 0:40 / /media/card rw - btrfs /dev/sdb1 rw\n")
        self.assert_refused("mounted at /media/card")
        put(mounts, "")
        put(self.root + "/proc/swaps", "Filename Type Size\n/dev/sdb1 partition 100\n")
        self.assert_refused("swap of this machine")
        put(self.root + "/proc/swaps", "Filename Type Size\n")
        os.makedirs(self.sys + "sdb/sdb1/holders/dm-0")
        self.assert_refused("/dev/sdb1: in use by dm-0")
        shutil.rmtree(self.sys + "sdb/sdb1/holders")
        os.makedirs(self.sys + "sdb/holders/md127")
        self.assert_refused("/dev/sdb: in use by md127")
        shutil.rmtree(self.sys + "sdb/holders")
        os.unlink(mounts)
        self.assert_refused("without it nobody knows what is in use")

    def test_nobody_says_yes(self):
        self.assert_refused("nobody to ask; --yes sdb", yes=None)
        self.assert_refused("--yes sda: the disk is called sdb", yes="sda")
        self.assert_refused("not written", yes=None, typed="yes")
        self.assertIsNone(self.run_it(yes=None, typed="sdb"))

    def test_image_that_is_none(self):
        with open(self.image, "r+b") as file:
            file.seek(510)
            file.write(b"\0\0")
        self.assert_refused("no image of a card")
        self.image += ".none"
        self.assert_refused("No such file or directory; make sdcard makes it")

    def test_write_error_is_told(self):
        def failing(fd, data, real=os.write, state=[0]):
            state[0] += 1
            if state[0] == 2:
                raise OSError(5, "Input/output error")
            return real(fd, data)
        with mock.patch("os.write", failing):
            self.assertIn("writing failed after 4194304 bytes: Input/output error", self.run_it())

    def test_short_writes_go_on(self):
        with mock.patch("os.write", lambda fd, data, real=os.write: real(fd, data[:1000003])):
            self.assertIsNone(self.run_it())

    def test_what_reads_back_differently_is_told(self):
        def flipped(fd, buffers, real=os.readv):
            count = real(fd, buffers)
            if count < 4 << 20:
                buffers[0][7] ^= 0x20
            return count
        with mock.patch("os.readv", flipped):
            self.assertRegex(self.run_it(), r"byte 4194311 reads 0x.., written was 0x..: a bad card")

    def test_card_that_ends_early_is_told(self):
        with mock.patch("os.readv", lambda fd, buffers: 0):
            self.assertIn("ends after 0 bytes of 5242880", self.run_it())

    def test_what_changes_while_it_asks(self):
        def then(path, text):
            def answer():
                put(path, text)
                return "sdb"
            return answer
        self.assert_refused("another disk or card", yes=None, typed=then(self.sys + "sdb/device/serial", "0002\n"))
        self.assert_refused("another disk or card", yes=None, typed=then(self.sys + "sdb/diskseq", "9\n"))
        self.assert_refused("no card in the reader", yes=None, typed=then(self.sys + "sdb/size", "0\n"))
        put(self.sys + "sdb/size", "%d\n" % (CARD_BYTES // 512))
        self.assert_refused("mounted at /media/card", yes=None, typed=then(
            self.root + "/proc/self/mountinfo", "30 1 8:17 / /media/card rw - vfat /dev/sdb1 rw\n"))

    def test_disk_that_the_kernel_holds(self):
        """Opening it fails: a line, not a trace of calls."""
        def busy(path, flags, *rest, real=os.open):
            if path.endswith("/sdb") and flags & os.O_WRONLY:
                raise OSError(16, "Device or resource busy")
            return real(path, flags, *rest)
        with mock.patch("os.open", busy):
            self.assert_refused("writing failed after 0 bytes: Device or resource busy")

    def test_card_that_is_gone_before_it_is_read_back(self):
        def gone(path, flags, *rest, real=os.open):
            if path.endswith("/sdb") and not flags & os.O_WRONLY:
                raise OSError(123, "No medium found")
            return real(path, flags, *rest)
        with mock.patch("os.open", gone):
            self.assertIn("reading back failed after 0 bytes: No medium found", self.run_it())

    def test_node_of_another_device(self):
        """A block device by the name of the card that is another one."""
        real = os.stat
        node = mock.Mock(st_mode=0o60660, st_rdev=os.makedev(8, 0))
        with mock.patch("os.stat", lambda path, *rest, **more: node if str(path).endswith("/dev/sdb") else
                        real(path, *rest, **more)):
            self.assert_refused("device 8:0, but sdb is 8:16")

    def test_device_without_right_to_write_asks_sudo(self):
        with mock.patch("os.access", lambda *_: False), mock.patch("os.execvp", side_effect=SystemExit) as call:
            self.assert_refused("not writable", yes=None, typed="sdb")  # never from a test's root
            call.assert_not_called()
            disk = mock.Mock(root="", node="/dev/sdb", path="/dev/sdb", identity=lambda: [])
            disk.name = "sdb"
            with mock.patch.object(flash_card, "checked", lambda *_: disk), mock.patch.object(
                    flash_card, "show"), self.assertRaises(SystemExit):
                self.run_it(yes="sdb")
        self.assertEqual(call.call_args[0][1][2:], ["--yes", "sdb", self.image, "/dev/sdb"])

    def test_as_a_command(self):
        tool = os.path.join(ROOT, "tools/flash_card")
        good = subprocess.run([tool, "--root", self.root, "--yes", "sdb", self.image, "/dev/sdb"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        self.assertEqual((good.returncode, good.stderr), (0, ""))
        bad = subprocess.run([tool, "--root", self.root, self.image, "/dev/sda"], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=60)
        self.assertEqual(bad.returncode, 1)
        self.assertTrue(bad.stderr.startswith("flash_card: /dev/sda: "), bad.stderr)


class Firmware(unittest.TestCase):
    def run_it(self, folder):
        return subprocess.run([os.path.join(ROOT, "tools/firmware_files"), folder], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)

    def test_missing_files_are_listed(self):
        with tempfile.TemporaryDirectory() as folder:
            put(folder + "/bootcode.bin", "x")
            put(folder + "/fixup_cd.dat", "")
            result = self.run_it(folder)
            self.assertEqual(result.returncode, 1)
            self.assertIn("missing or empty: start_cd.elf, fixup_cd.dat;", result.stderr)
            put(folder + "/fixup_cd.dat", "x")
            put(folder + "/start_cd.elf", "x")
            put(folder + "/bcm2710-rpi-3-b.dtb", "x")
            result = self.run_it(folder)
            self.assertEqual(result.returncode, 0)
            self.assertEqual(result.stdout.split()[1::2], ["/%s=%s/%s" % (n, folder, n) for n in (
                "bootcode.bin", "start_cd.elf", "fixup_cd.dat", "bcm2710-rpi-3-b.dtb")])
        self.assertIn("no such folder", self.run_it(folder).stderr)

    def test_boot_folder_of_a_repository(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("bootcode.bin", "start_cd.elf", "fixup_cd.dat"):
                put(folder + "/boot/" + name, "x")
            self.assertIn("/boot/start_cd.elf", self.run_it(folder).stdout)

    def test_they_are_on_the_card(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("bootcode.bin", "start_cd.elf", "fixup_cd.dat", "boot/kernel8.img"):
                put(folder + "/" + name, name)
            options = self.run_it(folder).stdout.split()
            image = folder + "/card.img"
            subprocess.run([os.path.join(ROOT, "tools/mkcard"), *options, folder + "/boot", image], check=True,
                           cwd=ROOT, stdin=subprocess.DEVNULL, timeout=60)
            listed = subprocess.run(["mdir", "-b", "-i", image + "@@1M", "::/"], capture_output=True, text=True,
                                    timeout=60, check=True, env=dict(os.environ, MTOOLS_SKIP_CHECK="1")).stdout
            self.assertEqual(set(listed.split()), {"::/bootcode.bin", "::/start_cd.elf", "::/fixup_cd.dat",
                                                   "::/kernel8.img"})
            with open(image, "rb") as file:
                self.assertEqual(file.read()[450], 0x0c)


class Install(unittest.TestCase):
    CONFIG = "# For more options see the documentation\narm_boost=1\n[cm4]\notg_mode=1\n[all]\n"

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = self.folder.name
        self.boot = os.path.realpath(self.root) + "/media/boot fs"
        for name, text in (("config.txt", self.CONFIG), ("cmdline.txt", "root=PARTUUID=1 rw\n"),
                           ("start.elf", "gpu"), ("bootcode.bin", "gpu"), ("kernel8.img", "linux")):
            put(self.boot + "/" + name, text)
        put(self.root + "/proc/mounts", "/dev/sdb1 %s vfat rw 0 0\n/dev/x /other ext4 rw 0 0\n" %
            self.boot.replace(" ", "\\040"))
        self.built = self.root + "/built"
        for name in ("kernel8.img", "cmdline.txt", "config.txt", "apps/sort.elf", "data/words.txt"):
            put(self.built + "/" + name, "ebb " + name + "\n")

    def run_it(self, *arguments):
        return subprocess.run([os.path.join(ROOT, "tools/install_boot"), "--root", self.root, *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)

    def install(self, *more):
        return self.run_it("--swap-mib", "2", *more, self.built, self.boot)

    def read(self, name):
        with open(self.boot + "/" + name, "rb") as file:
            return file.read().decode("latin-1")

    def tree(self):
        return {os.path.relpath(os.path.join(at, name), self.boot): os.path.getsize(os.path.join(at, name))
                for at, _, names in os.walk(self.boot) for name in names}

    def test_adds_files_and_leaves_linux_alone(self):
        before = self.tree()
        result = self.install()
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(self.read("ebb8.img"), "ebb kernel8.img\n")
        self.assertEqual(self.read("kernel8.img"), "linux")
        self.assertEqual(self.read("cmdline.txt"), "root=PARTUUID=1 rw\n")
        self.assertEqual(self.read("ebb.txt"), "ebb cmdline.txt swap=/ebb.swp\n")
        self.assertEqual(self.read("config.txt.before-ebb"), self.CONFIG)
        self.assertTrue(self.read("config.txt").startswith(self.CONFIG))
        for line in ("kernel=ebb8.img", "cmdline=ebb.txt", "kernel_address=0x80000"):
            self.assertIn("\n" + line + "\n", self.read("config.txt"))
        self.assertEqual(os.path.getsize(self.boot + "/ebb.swp"), 2 << 20)
        self.assertTrue(self.read("ebb.swp").startswith("EBBSWAP1"))
        self.assertEqual(set(self.tree()) - set(before), {
            "ebb8.img", "ebb.txt", "ebb.swp", "ebb-files.txt", "config.txt.before-ebb", "apps/sort.elf",
            "data/words.txt"})

    def test_again_changes_nothing_and_keeps_the_first_backup(self):
        self.install()
        first = (self.tree(), self.read("config.txt"))
        self.assertEqual(self.install().returncode, 0)
        self.assertEqual((self.tree(), self.read("config.txt")), first)
        self.assertEqual(self.read("config.txt.before-ebb"), self.CONFIG)

    def test_removed_without_a_trace(self):
        before = self.tree()
        self.install()
        result = self.run_it("--remove", self.boot)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(self.tree(), before)
        self.assertEqual(self.read("config.txt"), self.CONFIG)
        self.assertIn("ebb is not installed there", self.run_it("--remove", self.boot).stderr)

    def test_config_comes_back_to_the_byte(self):
        for text in (b"arm_boost=1", b"arm_boost=1\n\n\n", b"arm_boost=1\r\n[all]\r\n", b"# caf\xe9\n", b""):
            with open(self.boot + "/config.txt", "wb") as file:
                file.write(text)
            for _ in range(2):
                result = self.install()
                self.assertEqual((result.returncode, result.stderr), (0, ""), text)
            self.assertEqual(self.run_it("--remove", self.boot).returncode, 0)
            with open(self.boot + "/config.txt", "rb") as file:
                self.assertEqual(file.read(), text)

    def test_power_cut_anywhere(self):
        """After any number of files: Linux or ebb starts; remove brings back what was; again completes."""
        before, module = self.tree(), load("install_boot")
        options = mock.Mock(root=self.root, boot=self.boot, folder=self.built, swap_mib=2)
        for done in range(7):
            def cut(old, new, left=[done], real=os.replace):
                if left[0] == 0:
                    raise KeyboardInterrupt
                left[0] -= 1
                real(old, new)
            with mock.patch("os.replace", cut), mock.patch("sys.stdout", io.StringIO()):
                with self.assertRaises(KeyboardInterrupt):
                    module.install(options)
            self.assertEqual(self.read("config.txt"), self.CONFIG)
            if done % 2:
                self.assertEqual(self.install().returncode, 0)
            self.assertEqual(self.run_it("--remove", self.boot).returncode, 1 if done == 0 else 0)
            self.assertEqual(self.tree(), before)

    def test_names_are_synced_before_the_block_is_written(self):
        module, order = load("install_boot"), []
        options = mock.Mock(root=self.root, boot=self.boot, folder=self.built, swap_mib=2)
        with mock.patch.object(module, "sync_folder", lambda folder, real=module.sync_folder:
                               (real(folder), order.append(sorted(os.listdir(self.boot))))), \
                mock.patch("sys.stdout", io.StringIO()):
            module.install(options)
        self.assertEqual(len(order), len(self.tree()) - 5 + 1)
        self.assertIn("ebb8.img", order[-2])

    def test_what_the_user_has_is_not_replaced(self):
        put(self.boot + "/data/words.txt", "mine")
        before = self.tree()
        result = self.install()
        self.assertEqual(result.returncode, 1)
        self.assertIn("data/words.txt: is there and not ebb's", result.stderr)
        self.assertEqual(self.tree(), before)
        self.assertEqual(self.read("data/words.txt"), "mine")

    def test_what_an_older_version_had_goes_too(self):
        before = self.tree()
        self.install()
        os.rename(self.built + "/apps/sort.elf", self.built + "/apps/sorted.elf")
        self.assertEqual(self.install().returncode, 0)
        self.assertEqual(self.run_it("--remove", self.boot).returncode, 0)
        self.assertEqual(self.tree(), before)

    def test_errors_are_told_in_a_line(self):
        os.unlink(self.built + "/cmdline.txt")
        before = self.tree()
        result = self.install()
        self.assertEqual((result.returncode, self.tree()), (1, before))
        self.assertTrue(result.stderr.startswith("install_boot: "), result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1)

    def test_space_for_both_swap_files(self):
        """Another size: the old one goes only when the new one is there."""
        module = load("install_boot")
        self.install()
        with mock.patch("os.statvfs", lambda _: mock.Mock(f_bavail=7 << 8, f_frsize=4096)):
            module.check_space(self.boot, module.files_of(self.built), 2)
            with self.assertRaisesRegex(module.Refused, "8.0 MiB needed, 7.0 free"):
                module.check_space(self.boot, module.files_of(self.built), 4)

    def test_what_others_added_stays(self):
        self.install()
        with open(self.boot + "/config.txt", "a", encoding="ascii") as file:
            file.write("dtparam=audio=on\n")
        put(self.boot + "/apps/mine.elf", "x")
        self.run_it("--remove", self.boot)
        self.assertEqual(self.read("config.txt"), self.CONFIG + "dtparam=audio=on\n")
        self.assertEqual(self.read("apps/mine.elf"), "x")

    def test_refusals(self):
        def refused(words, *arguments):
            before = self.tree()
            result = self.run_it(*arguments)
            self.assertEqual(result.returncode, 1)
            self.assertIn(words, result.stderr)
            self.assertEqual(self.tree(), before)

        refused("no such folder", self.built, self.root + "/nowhere")
        refused("nothing is mounted there", self.built, self.root)
        refused("MiB needed", "--swap-mib", "4095", self.built, self.boot) if \
            shutil.disk_usage(self.boot).free < 4 << 30 else None
        put(self.root + "/proc/mounts", "/dev/sdb2 %s ext4 rw 0 0\n" % self.boot.replace(" ", "\\040"))
        refused("a ext4 file system; the boot partition is FAT", self.built, self.boot)
        put(self.root + "/proc/mounts", "/dev/sdb1 %s vfat rw 0 0\n" % self.boot.replace(" ", "\\040"))
        os.unlink(self.boot + "/start.elf")
        refused("no Raspberry Pi starts from this", self.built, self.boot)

    def test_list_that_names_what_is_not_ebbs(self):
        self.install()
        put(self.boot + "/ebb-files.txt", "../outside\n")
        put(os.path.dirname(self.boot) + "/outside", "x")
        self.assertIn("which is not ebb's", self.run_it("--remove", self.boot).stderr)
        self.assertTrue(os.path.exists(os.path.dirname(self.boot) + "/outside"))

    def test_block_without_its_end(self):
        self.install()
        put(self.boot + "/config.txt", self.read("config.txt").replace("# --- ebb ends", ""))
        for arguments in ((self.built, self.boot), ("--remove", self.boot)):
            self.assertIn("put config.txt.before-ebb back by hand", self.run_it(*arguments).stderr)

    def test_space(self):
        module = load("install_boot")
        with mock.patch("os.statvfs", lambda _: mock.Mock(f_bavail=100, f_frsize=4096)):
            with self.assertRaisesRegex(module.Refused, r"[\d.]+ MiB needed, 0.4 free; a smaller swap file"):
                module.check_space(self.boot, module.files_of(self.built), 64)

    def test_failed_copy_leaves_the_old_file(self):
        module = load("install_boot")
        path = self.boot + "/start.elf"

        def fill(new):
            put(new, "half")
            raise OSError(28, "No space left on device")
        with self.assertRaisesRegex(module.Refused, "No space left on device"):
            module.put(path, fill)
        self.assertEqual(self.read("start.elf"), "gpu")
        self.assertFalse(os.path.exists(path + ".new"))


if __name__ == "__main__":
    unittest.main()
