"""A folder of files into a bucket: what is missing, what changed, and on from where a run was killed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

BUCKET = "stories-media-files"


def wish(folder: Path, **changes: Any) -> dict[str, Any]:
    return {"path": str(folder), "bucket": BUCKET, "prefix": "uploads/", "exclude": ["*.tmp", "cache/*"], **changes}


def keys(cloud: Cloud) -> list[str]:
    return sorted(one["Key"] for one in cloud.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", []))


def test_files_are_uploaded_once_and_what_a_killed_run_left_is_finished(cloud: Cloud, tmp_path: Path) -> None:
    for name, text in {"a.png": "a", "books/é b.pdf": "bb", "books/c": "ccc", "x.tmp": "x", "cache/y": "y"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    empty = run_module(cloud, "s3_files", wish(tmp_path), check=True)
    assert empty["steps"][0]["sentence"] == f"Upload 3 files (6 bytes) to bucket {BUCKET}"
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="uploads/a.png", Body=b"a")  # as far as the killed run came
    s3.put_object(Bucket=BUCKET, Key="somebody/else", Body=b"z")

    planned = run_module(cloud, "s3_files", wish(tmp_path), check=True)
    assert planned["steps"][0]["sentence"] == f"Upload 2 files (5 bytes) to bucket {BUCKET}"
    assert "uploads/books/c: 3" in planned["diff"][0]["after"]
    assert keys(cloud) == ["somebody/else", "uploads/a.png"]

    assert run_module(cloud, "s3_files", wish(tmp_path))["files"] == 3
    assert keys(cloud) == ["somebody/else", "uploads/a.png", "uploads/books/c", "uploads/books/é b.pdf"]
    assert s3.head_object(Bucket=BUCKET, Key="uploads/books/é b.pdf")["ContentType"] == "application/pdf"
    assert run_module(cloud, "s3_files", wish(tmp_path))["changed"] is False

    (tmp_path / "a.png").write_text("A", encoding="utf-8")  # of the same size, but newer
    later = (tmp_path / "a.png").stat().st_mtime + 5
    os.utime(tmp_path / "a.png", (later, later))
    assert "1 files" in run_module(cloud, "s3_files", wish(tmp_path), check=True)["steps"][0]["sentence"]


def test_a_missing_folder_or_bucket_is_one_clear_error(cloud: Cloud, tmp_path: Path) -> None:
    assert "Looked for the folder" in run_module(cloud, "s3_files", wish(tmp_path / "gone"))["msg"]
    (tmp_path / "a").write_text("a", encoding="utf-8")
    failed = run_module(cloud, "s3_files", wish(tmp_path, bucket="stories-nowhere"))["msg"]
    assert "list the objects of bucket stories-nowhere" in failed
