"""The faults themselves are tested: a fault that does not happen would make every test on top of it pass.

usage: test_fault_preload.py fault_preload.so
"""
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

LIBRARY = Path(sys.argv.pop(1)).resolve()


class Faults(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name).resolve() / "root"
        self.root.mkdir()
        self.switch = self.root.parent / "switch"

    def tearDown(self):
        self.folder.cleanup()

    def run_code(self, code, **variables):
        environment = {"PATH": os.environ["PATH"], "LD_PRELOAD": str(LIBRARY), "HOLDFAST_FAULT_ROOT": str(self.root),
                       "ROOT": str(self.root), "SWITCH": str(self.switch), **variables}
        # A session of its own: a power cut kills the process group.
        return subprocess.run([sys.executable, "-S", "-c", "import os\nroot, switch = os.environ['ROOT'], os.environ['SWITCH']\n" + code],
                              env=environment, capture_output=True, text=True, start_new_session=True)

    def test_a_full_disk_refuses_writes_until_it_has_room(self):
        done = self.run_code("""
import errno
def attempt():
    fd = os.open(root + '/a', os.O_CREAT | os.O_WRONLY)
    try: return os.write(fd, b'hello')
    except OSError as e: return errno.errorcode[e.errno]
    finally: os.close(fd)
print(attempt())
open(switch, 'w').close()
print(attempt())
os.remove(switch)
print(attempt())
""", HOLDFAST_FAULT_FULL_FILE=str(self.switch))
        self.assertEqual(done.stdout.split(), ["5", "ENOSPC", "5"], done.stderr)

    def test_a_power_cut_loses_what_was_not_synced_and_keeps_what_was(self):
        done = self.run_code("""
fd = os.open(root + '/a', os.O_CREAT | os.O_WRONLY)
os.write(fd, b'synced')
os.fsync(fd)
os.pwrite(fd, b'XX', 0)
os.write(fd, b' and lost')
open(switch, 'w').close()
os.write(fd, b'!')
print('not reached')
""", HOLDFAST_FAULT_CUT_FILE=str(self.switch))
        self.assertEqual(done.returncode, -signal.SIGKILL, done.stdout + done.stderr)
        self.assertEqual((self.root / "a").read_bytes(), b"synced")

    def test_the_nth_sync_is_the_cut_and_does_not_take_effect(self):
        self.run_code("""
for name in ('a', 'b'):
    fd = os.open(root + '/' + name, os.O_CREAT | os.O_WRONLY)
    os.write(fd, b'bytes')
    os.fsync(fd)
""", HOLDFAST_FAULT_CUT_SYNC="2")
        self.assertEqual((self.root / "a").read_bytes(), b"bytes")
        self.assertEqual((self.root / "b").read_bytes(), b"")

    def test_strict_directories_undo_renames_that_were_not_synced(self):
        code = """
def publish(name, text, sync):
    fd = os.open(root + '/tmp-' + name, os.O_CREAT | os.O_WRONLY)
    os.write(fd, text); os.fsync(fd); os.close(fd)
    os.rename(root + '/tmp-' + name, root + '/' + name)
    if sync:
        folder = os.open(root, os.O_RDONLY); os.fsync(folder); os.close(folder)
publish('kept', b'one', True)
publish('kept', b'two', False)
publish('lost', b'three', False)
open(switch, 'w').close()
os.open(root + '/any', os.O_CREAT | os.O_WRONLY)
"""
        self.run_code(code, HOLDFAST_FAULT_CUT_FILE=str(self.switch), HOLDFAST_FAULT_DIRECTORIES="strict")
        self.assertEqual((self.root / "kept").read_bytes(), b"one")
        self.assertFalse((self.root / "lost").exists())

    def test_short_writes_are_short(self):
        done = self.run_code("fd = os.open(root + '/a', os.O_CREAT | os.O_WRONLY); print(os.write(fd, b'12345678'))",
                             HOLDFAST_FAULT_SHORT="1")
        self.assertEqual(done.stdout.strip(), "4", done.stderr)

    def test_files_outside_the_root_are_left_alone(self):
        self.switch.touch()
        done = self.run_code("fd = os.open(switch + '2', os.O_CREAT | os.O_WRONLY); print(os.write(fd, b'12345678'))",
                             HOLDFAST_FAULT_FULL_FILE=str(self.switch), HOLDFAST_FAULT_SHORT="1")
        self.assertEqual(done.stdout.strip(), "8", done.stderr)

    def test_sqlite_survives_a_cut_at_every_sync(self):
        """A referee from outside: SQLite promises exactly this."""
        for n in range(1, 14):
            for old in self.root.iterdir():
                old.unlink()
            self.run_code("""
import sqlite3
db = sqlite3.connect(root + '/db', isolation_level=None)
db.execute('pragma journal_mode=wal'); db.execute('pragma synchronous=full')
db.execute('create table t(n)')
for n in range(20):
    db.execute('insert into t values(?)', (n,))
    with open(switch, 'w') as out: out.write(str(n))
""", HOLDFAST_FAULT_CUT_SYNC=str(n))
            acknowledged = int(self.switch.read_text()) if self.switch.exists() and self.switch.read_text() else -1
            import sqlite3
            with sqlite3.connect(self.root / "db") as db:
                try:
                    rows = [row[0] for row in db.execute("select n from t order by n")]
                except sqlite3.OperationalError:
                    rows = []
            self.assertGreaterEqual(len(rows), acknowledged + 1, f"cut at sync {n}")
            self.assertEqual(rows, list(range(len(rows))), f"cut at sync {n}")
            self.switch.unlink(missing_ok=True)


if __name__ == "__main__":
    unittest.main()
