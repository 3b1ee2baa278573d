# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where one local cloud lives: its port, its state directory and the files in it. Standard library only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

DEFAULT_PORT = 4566
DEFAULT_STATE_DIR = ".local_cloud"
ACCOUNT_ID = "123456789012"
DEFAULT_REGION = "us-east-1"
# Any key works while IAM enforcement is off; with --iam this pair is the account's root.
ACCESS_KEY_ID = "test"
SECRET_ACCESS_KEY = "test"

CHECKOUT = Path(__file__).resolve().parent.parent

# Every process of a cloud carries this variable, so that a sweep finds all that belong to a state directory.
STATE_DIR_VARIABLE = "LOCAL_CLOUD_STATE_DIR"


@dataclass(frozen=True)
class Cloud:
    """One local cloud: a port on 127.0.0.1 and a directory that holds all that it keeps."""

    port: int
    state_dir: Path
    iam: bool = False

    @classmethod
    def at(cls, port: int, state_dir: str | os.PathLike[str], iam: bool = False) -> Cloud:
        return cls(port=port, state_dir=Path(state_dir).resolve(), iam=iam)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def record(self) -> Path:
        """JSON that the supervisor writes: pid, port, endpoint."""
        return self.state_dir / "supervisor.json"

    @property
    def lock(self) -> Path:
        return self.state_dir / "supervisor.lock"

    @property
    def logs(self) -> Path:
        return self.state_dir / "logs"

    @property
    def call_log(self) -> Path:
        return self.state_dir / "calls.jsonl"

    @property
    def api_state(self) -> Path:
        """The control plane's saved state, one JSON file a service."""
        return self.state_dir / "state"

    @property
    def s3_objects(self) -> Path:
        return self.state_dir / "s3"

    def environment(self) -> dict[str, str]:
        """What a client exports to talk to this cloud."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_REGION": DEFAULT_REGION,
            "AWS_DEFAULT_REGION": DEFAULT_REGION,
            # The authority behind the certificates of load balancers, databases and caches.
            "LOCAL_CLOUD_CA_FILE": str(self.state_dir / "tls" / "ca.pem"),
        }


def has_part(package: str, module: str) -> bool:
    """True if the checkout has `local_cloud/<package>/<module>.py` and LOCAL_CLOUD_WITHOUT does not name the package.

    Tests of modules want the APIs only: LOCAL_CLOUD_WITHOUT=data_plane starts a cloud in which no task runs.
    """
    return (
        package not in os.environ.get("LOCAL_CLOUD_WITHOUT", "").split(",")
        and (CHECKOUT / "local_cloud" / package / f"{module}.py").exists()
    )
