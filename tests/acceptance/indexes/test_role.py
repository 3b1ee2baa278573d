"""Role db_tuning as a person runs it: plan, build, run again, roll back, against a plain server without AWS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import PASSWORD, Server, running

ROOT = Path(__file__).resolve().parents[3]
PLAY = """
- hosts: localhost
  gather_facts: false
  roles:
    - role: stories1001.platform.db_tuning
      vars:
        db_tuning_index_sets: []
        db_tuning_parameters_method: alter_system
        db_tuning_migrations:
          - name: words
            indexes:
              - {name: idx_words, table: words, columns: [word], where: id > 5}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(hba=["local all all trust", "host all all 127.0.0.1/32 scram-sha-256"]) as one:
        local = {"host": str(one.folder)}
        one.execute(f"ALTER ROLE postgres PASSWORD '{PASSWORD}'", **local)
        one.execute(
            "CREATE TABLE words (id int, word text)",
            "INSERT INTO words SELECT g, md5(g::text) FROM generate_series(1, 20000) g",
            "ANALYZE words",
            **local,
        )
        yield one


def play(server: Server, folder: Path, *options: str) -> str:
    """What ansible-playbook prints. Raises when it fails."""
    playbook = folder / "play.yml"
    playbook.write_text(PLAY, encoding="utf-8")
    variables = {"db_tuning_connection": server.connection(password=PASSWORD)}
    command = [
        str(Path(sys.executable).parent / "ansible-playbook"),
        "-i",
        "localhost,",
        "-c",
        "local",
        "-e",
        json.dumps({**variables, "ansible_python_interpreter": sys.executable}),
        str(playbook),
        *options,
    ]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_FORCE_COLOR": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_plan_build_again_and_roll_back(server: Server, tmp_path: Path) -> None:
    local = {"host": str(server.folder)}
    planned = play(server, tmp_path, "--check", "--diff")
    assert "+public.idx_words: btree (word text_ops) WHERE id > 5" in planned
    assert server.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'words'", **local)[0][0] == 0

    built = play(server, tmp_path, "-vvv")
    assert "public.idx_words: create begins" in built, "the progress lines are shown"
    assert "public.idx_words: create done in" in built
    assert "shared_preload_libraries take effect at the next restart" in " ".join(built.split())

    again = play(server, tmp_path)
    assert "changed=0" in again

    rolled = play(server, tmp_path, "-e", "db_tuning_state=absent")
    assert "public.idx_words: drop done in" in rolled
    assert server.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'words'", **local)[0][0] == 0
    for shown in (planned, built, again, rolled):
        assert PASSWORD not in shown
