"""The worker's process by itself: modules of a small collection made here, no Ansible around it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ansible
import pytest
from ansible.release import __version__ as core_version
from ansible_collections.stories1001.platform.plugins.plugin_utils.warm_worker import client
from ansible_collections.stories1001.platform.plugins.plugin_utils.warm_worker.wire import Request

# What a module sees and does; `do` chooses.
PROBE = """
import atexit, json, os, sys, threading, time
from ansible.module_utils.basic import AnsibleModule
import ansible.module_utils.basic as basic
from ..module_utils.shared import SEEN

def main():
    module = AnsibleModule({"do": {"type": "str"}, "secret": {"type": "str", "no_log": True}})
    do = module.params["do"]
    SEEN.append(do)
    if do == "look":
        module.exit_json(
            environment=dict(os.environ), directory=os.getcwd(), umask=os.umask(0), stdin=sys.stdin.read(),
            seen=SEEN, leader=os.getsid(0) == os.getpid(), name=__name__, argv=len(sys.argv),
            controller="ansible.executor" in sys.modules,
            tmpdir=module._tmpdir,
            open=sorted(os.listdir("/proc/self/fd")),
        )
    if do == "controller":
        import ansible._internal
    if do == "shout":
        sys.stderr.write("e" * 3_000_000)
        module.exit_json(text="x" * 5_000_000)
    if do == "exit":
        print("leaving", flush=True)
        sys.exit(7)
    if do == "raise":
        raise ValueError("on purpose")
    if do == "crash":
        os.kill(os.getpid(), 11)
    if do == "late":
        atexit.register(lambda: print("at exit"))
        threading.Thread(target=lambda: (time.sleep(0.2), print("thread"))).start()
        sys.exit(0)
    if do == "sleep":
        print("sleeping", flush=True)
        time.sleep(60)
    if do == "secret":
        module.exit_json(told=module.params["secret"])
    if do == "import":
        import nothing_of_this_name

if __name__ == "__main__":
    main()
"""


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("collection")
    for part, name, text in (("modules", "probe", PROBE), ("module_utils", "shared", "SEEN = []\n")):
        (folder / "plugins" / part).mkdir(parents=True)
        (folder / "plugins" / part / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


class Worker:
    """A worker for a process that stands for ansible-playbook."""

    def __init__(self, folder: Path, collection: Path) -> None:
        self.playbook = subprocess.Popen(["sleep", "600"])
        core = str(Path(ansible.__file__).parent)
        own = {"tests.probes": str(collection)}
        self.target = client.Target(folder, self.playbook.pid, sys.executable, core, core_version, own)

    def run(self, do: str, **more: Any) -> client.Output:
        return client.run(self.target, self.request(do, **more))

    def request(
        self, do: str, secret: str = "", environment: dict[str, str] | None = None, umask: int = 0o22
    ) -> Request:
        arguments = {"do": do, "secret": secret, "_ansible_tmpdir": "/somewhere"}
        return Request(
            module="ansible_collections.tests.probes.plugins.modules.probe",
            arguments=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
            profile="legacy",
            environment=environment or {"ONLY": "this"},
            directory="/usr",
            umask=umask,
        )

    def pid(self) -> int:
        """Of the worker itself."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if b"warm_worker.server" in command and str(self.target.folder).encode() in self._log(folder):
                return int(folder.name)
        raise AssertionError("no worker runs")

    @staticmethod
    def _log(process: Path) -> bytes:
        """Where its standard error goes: into its folder."""
        try:
            return os.readlink(process / "fd" / "2").encode()
        except OSError:
            return b""

    def end(self) -> None:
        self.playbook.kill()
        self.playbook.wait()


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory, collection: Path) -> Iterator[Worker]:
    # Longer than the path of a socket may be.
    folder = tmp_path_factory.mktemp("a" * 100)
    one = Worker(folder, collection)
    yield one
    one.end()


@pytest.fixture
def own_worker(tmp_path: Path, collection: Path) -> Iterator[Worker]:
    one = Worker(tmp_path, collection)
    yield one
    one.end()


def told(output: client.Output) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(output.stdout)
    return result


def test_a_module_has_the_environment_the_folder_and_the_umask_of_its_task(worker: Worker) -> None:
    seen = told(worker.run("look", environment={"A": "b c", "PATH": "/bin"}, umask=0o77))
    assert seen["environment"] == {"A": "b c", "PATH": "/bin"}
    assert (seen["directory"], seen["umask"], seen["stdin"], seen["tmpdir"]) == ("/usr", 0o77, "", "/somewhere")
    assert seen["leader"], "a module ended from outside must not take others with it"
    assert seen["name"] == "__main__"


def test_nothing_of_one_module_is_left_for_the_next(worker: Worker) -> None:
    worker.run("exit")
    assert told(worker.run("look"))["seen"] == ["look"]


def test_a_module_holds_no_descriptor_of_the_worker_but_the_one_it_teaches_it_by(worker: Worker) -> None:
    before = told(worker.run("look"))["open"]
    assert len(before) <= 7, before  # stdin, stdout, stderr, the listing itself, the pipe's ends, the log


def test_a_module_is_not_on_the_controller(worker: Worker) -> None:
    assert told(worker.run("look"))["controller"] is False


def test_large_outputs_arrive_whole(worker: Worker) -> None:
    output = worker.run("shout")
    assert len(told(output)["text"]) == 5_000_000
    assert len(output.stderr) == 3_000_000


@pytest.mark.parametrize(
    ("do", "status", "stdout"),
    [("exit", 7, b"leaving\n"), ("crash", 139, b""), ("late", 0, b"thread\nat exit\n")],
)
def test_a_process_ends_as_it_would_alone(worker: Worker, do: str, status: int, stdout: bytes) -> None:
    output = worker.run(do)
    assert (output.status, output.stdout) == (status, stdout)


@pytest.mark.parametrize(("do", "message"), [("raise", "on purpose"), ("import", "nothing_of_this_name")])
def test_an_exception_is_reported_as_ansible_reports_it(worker: Worker, do: str, message: str) -> None:
    output = worker.run(do)
    assert output.status == 1
    assert told(output)["failed"] is True
    assert message in json.dumps(told(output)["exception"])


def test_secrets_are_masked_and_never_come_near_the_worker(worker: Worker) -> None:
    secret = "never-in-the-worker-" + os.urandom(8).hex()
    output = worker.run("secret", secret=secret)
    assert secret.encode() not in output.stdout + output.stderr
    assert secret.encode() not in _memory(worker.pid())
    assert not [path for path in worker.target.folder.iterdir() if path.is_file() and secret in path.read_text()]


def _memory(pid: int) -> bytes:
    """All that a process can write to."""
    found = bytearray()
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            where, rights = line.split()[:2]
            if rights.startswith("rw"):
                start, end = (int(part, 16) for part in where.split("-"))
                memory.seek(start)
                found += memory.read(end - start)
    return bytes(found)


def test_modules_run_at_the_same_time(worker: Worker) -> None:
    outputs: list[client.Output] = []
    threads = [threading.Thread(target=lambda: outputs.append(worker.run("late"))) for _number in range(8)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [output.stdout for output in outputs] == [b"thread\nat exit\n"] * 8
    assert time.monotonic() - begun < 8 * 0.2 * 4


def test_several_tasks_start_one_worker(own_worker: Worker) -> None:
    threads = [threading.Thread(target=lambda: own_worker.run("exit")) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(own_worker.target.folder.glob("*.sock"))) == 1


def test_the_worker_ends_with_its_ansible_playbook(own_worker: Worker) -> None:
    own_worker.run("exit")
    pid = own_worker.pid()
    own_worker.end()
    assert _gone(pid)


def test_a_module_that_runs_when_ansible_playbook_dies_is_not_cut_off(own_worker: Worker) -> None:
    own_worker.run("exit")
    pid = own_worker.pid()
    outputs: list[client.Output] = []
    thread = threading.Thread(target=lambda: outputs.append(own_worker.run("late")))
    thread.start()
    time.sleep(0.1)
    own_worker.end()
    thread.join()
    assert outputs[0].stdout == b"thread\nat exit\n"
    assert _gone(pid)


def test_a_module_ends_with_its_task(own_worker: Worker) -> None:
    own_worker.run("exit")
    task = os.fork()
    if task == 0:
        own_worker.run("sleep")
        os._exit(0)
    deadline = time.monotonic() + 10
    while not (modules := _children(own_worker.pid())) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(task, signal.SIGKILL)
    os.waitpid(task, 0)
    assert len(modules) == 1
    assert _gone(modules[0])


def test_a_worker_that_is_gone_is_told_before_anything_is_done(own_worker: Worker) -> None:
    own_worker.run("exit")
    os.kill(own_worker.pid(), signal.SIGKILL)
    time.sleep(0.2)
    with pytest.raises(client.WorkerGone):
        own_worker.run("look")


def status_when_killed(worker: Worker, *, module_too: bool) -> int:
    """How a module ended whose worker was killed while it ran."""
    worker.run("exit")
    outputs: list[client.Output] = []
    thread = threading.Thread(target=lambda: outputs.append(worker.run("late")))
    thread.start()
    time.sleep(0.1)
    modules = _children(worker.pid()) if module_too else []
    for pid in [worker.pid(), *modules]:
        os.kill(pid, signal.SIGKILL)
    thread.join()
    return outputs[0].status


def test_a_module_whose_worker_is_killed_goes_on_and_tells_how_it_ended(own_worker: Worker) -> None:
    assert status_when_killed(own_worker, module_too=False) == 0


def test_a_module_that_is_killed_with_its_worker_counts_as_killed(own_worker: Worker) -> None:
    assert status_when_killed(own_worker, module_too=True) == 137


def test_one_task_of_many_warns(tmp_path: Path) -> None:
    assert [client.give_up(tmp_path) for _task in range(3)] == [True, False, False]
    assert client.given_up(tmp_path)


def test_an_interpreter_that_cannot_start_is_told(tmp_path: Path, collection: Path) -> None:
    worker = Worker(tmp_path, collection)
    missing = client.Target(**{**vars(worker.target), "interpreter": "/nowhere/python"})
    try:
        with pytest.raises(client.WorkerGone, match="nowhere"):
            client.run(missing, worker.request("look"))
    finally:
        worker.end()


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(part) for part in text.split()]


def _gone(pid: int) -> bool:
    """Whether the process has ended within ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False
