"""lambda_functions on the embedded cloud, with the real handlers of role media_processing on real uploads."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.ansible import run_module
from tests.support.cloud import ROOT, Cloud
from tests.support.media import book, photograph

PREFIX = "stories-test-media"
BUCKET = f"{PREFIX}-123456789012"
TAGS = {"Project": "1001-stories", "Environment": "test"}
ROLE = "arn:aws:iam::123456789012:role/stories-test-lambda"
HANDLERS = ROOT / "roles" / "media_processing" / "files" / "handlers"
IMAGES, DOCUMENTS = f"{PREFIX}-images", f"{PREFIX}-documents"
_LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
TRUST = {"Version": "2012-10-17", "Statement": [_LAMBDA]}


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packages")


@pytest.fixture
def wish(cloud: Cloud, packages: Path) -> dict[str, Any]:
    """Both functions as the role makes them; makes the bucket and the role that they need."""
    cloud.client("iam").create_role(RoleName="stories-test-lambda", AssumeRolePolicyDocument=json.dumps(TRUST))
    cloud.client("s3").create_bucket(Bucket=BUCKET)
    return {
        "name": PREFIX,
        "tags": TAGS,
        "bucket": BUCKET,
        "account_id": "123456789012",
        "source": str(HANDLERS),
        "cache": str(packages),
        "role_arn": ROLE,
        "functions": [
            {
                "name": "images",
                "handler": "images.handler",
                "prefix": "uploads/images/",
                "reserved_concurrency": 5,
                "environment": {
                    "UPLOADS": "uploads/images/",
                    "TARGET": "content/images/",
                    "WIDTHS": "320,640,1280",
                    "QUALITY": "80",
                },
            },
            {
                "name": "documents",
                "handler": "documents.handler",
                "prefix": "uploads/documents/",
                "environment": {
                    "UPLOADS": "uploads/documents/",
                    "TARGET": "content/books/",
                    "SEARCH": "search/",
                    "COVER_WIDTH": "300",
                },
            },
        ],
    }


def steps(result: dict[str, Any]) -> list[str]:
    assert not result.get("failed"), result["msg"]
    return [step["id"] for step in result["steps"]]


MADE = [
    f"queue/{PREFIX}-dead-letters:create",
    f"function/{IMAGES}:create",
    f"function/{DOCUMENTS}:create",
    f"permission/{IMAGES}:create",
    f"permission/{DOCUMENTS}:create",
    f"notifications/{PREFIX}:create",
]


def test_the_plan_lists_what_the_run_then_makes_and_writes_nothing_and_the_second_run_changes_nothing(
    cloud: Cloud, wish: dict[str, Any]
) -> None:
    with cloud.recorded() as calls:
        planned = run_module(cloud, "lambda_functions", wish, check=True)
    assert not [call["action"] for call in calls if call["writes"]]
    assert steps(planned) == MADE
    assert steps(run_module(cloud, "lambda_functions", wish)) == MADE
    with cloud.recorded() as calls:
        assert steps(run_module(cloud, "lambda_functions", wish)) == []
    assert not [call["action"] for call in calls if call["writes"]]


def made_of(cloud: Cloud, *keys: str, seconds: float = 60) -> list[bytes]:
    """The objects of these keys, once they are there."""
    s3, deadline = cloud.client("s3"), time.monotonic() + seconds
    while True:
        there = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
        if set(keys) <= set(there):
            return [s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys]
        assert time.monotonic() < deadline, f"{sorted(set(keys) - set(there))} never came; there is {there}"
        time.sleep(0.5)


def test_an_uploaded_photograph_becomes_upright_webp_of_each_width_and_tells_nothing_of_its_origin(
    cloud: Cloud, wish: dict[str, Any]
) -> None:
    run_module(cloud, "lambda_functions", wish)
    upload = photograph(1000, 600, turned=6)
    cloud.client("s3").put_object(Bucket=BUCKET, Key="uploads/images/grade 3/the well.jpg", Body=upload)
    stem = "content/images/grade 3/the well"
    small, large = made_of(cloud, f"{stem}/320.webp", f"{stem}/320.webp")
    with Image.open(io.BytesIO(small)) as image:
        assert (image.format, image.size) == ("WEBP", (320, 533))
    assert b"a camera that tells" not in large
    keys = [one["Key"] for one in cloud.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="content/")["Contents"]]
    # Turned, it is 600 wide, so that 640 and 1280 would enlarge it.
    assert keys == [f"{stem}/320.webp"]


def test_an_uploaded_book_gets_a_cover_and_its_text_is_found_by_page(cloud: Cloud, wish: dict[str, Any]) -> None:
    run_module(cloud, "lambda_functions", wish)
    upload = book("Once upon a time", "there was a well")
    cloud.client("s3").put_object(Bucket=BUCKET, Key="uploads/documents/the-well.pdf", Body=upload)
    found, cover, copy = made_of(
        cloud, "search/the-well.json", "content/books/the-well/cover.webp", "content/books/the-well/book.pdf"
    )
    assert json.loads(found) == {
        "key": "content/books/the-well/book.pdf",
        "pages": 2,
        "text": ["Once upon a time", "there was a well"],
    }
    with Image.open(io.BytesIO(cover)) as image:
        assert (image.format, image.size) == ("WEBP", (300, 400))
    assert copy == upload


def test_what_is_no_book_ends_among_the_dead_letters(cloud: Cloud, wish: dict[str, Any]) -> None:
    run_module(cloud, "lambda_functions", wish)
    cloud.client("lambda").put_function_event_invoke_config(FunctionName=DOCUMENTS, MaximumRetryAttempts=0)
    cloud.client("s3").put_object(Bucket=BUCKET, Key="uploads/documents/poem.pdf", Body=b"no PDF at all")
    sqs = cloud.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{PREFIX}-dead-letters")["QueueUrl"]
    messages: list[dict[str, Any]] = []
    deadline = time.monotonic() + 60
    while not messages:
        messages = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", [])
        assert time.monotonic() < deadline
    assert "uploads/documents/poem.pdf" in messages[0]["Body"]


def function(**changed: Any) -> Callable[[Cloud], None]:
    """By hand: the configuration of the function for images."""

    def by_hand(cloud: Cloud) -> None:
        cloud.client("lambda").update_function_configuration(FunctionName=IMAGES, **changed)

    return by_hand


def foreign_code(cloud: Cloud) -> None:
    import zipfile

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("images.py", "def handler(event, context): return 'mine'")
    cloud.client("lambda").update_function_code(FunctionName=IMAGES, ZipFile=made.getvalue())


def tagged(cloud: Cloud) -> None:
    arn = cloud.client("lambda").get_function(FunctionName=IMAGES)["Configuration"]["FunctionArn"]
    cloud.client("lambda").tag_resource(Resource=arn, Tags={"Owner": "somebody"})


def no_permission(cloud: Cloud) -> None:
    cloud.client("lambda").remove_permission(FunctionName=IMAGES, StatementId="bucket")


def another_account(cloud: Cloud) -> None:
    no_permission(cloud)
    allowed = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    source = {"SourceArn": f"arn:aws:s3:::{BUCKET}", "SourceAccount": "210987654321"}
    cloud.client("lambda").add_permission(FunctionName=IMAGES, StatementId="bucket", **allowed, **source)


def no_notifications(cloud: Cloud) -> None:
    cloud.client("s3").put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={})


def another_prefix(cloud: Cloud) -> None:
    s3 = cloud.client("s3")
    shown = s3.get_bucket_notification_configuration(Bucket=BUCKET)
    items = shown["LambdaFunctionConfigurations"]
    items[0]["Filter"]["Key"]["FilterRules"][0]["Value"] = "elsewhere/"
    configuration = {"LambdaFunctionConfigurations": items}
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=configuration)


def short_memory(cloud: Cloud) -> None:
    sqs = cloud.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{PREFIX}-dead-letters")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"})


def test_what_was_changed_by_hand_is_named_as_drift_and_mended(cloud: Cloud, wish: dict[str, Any]) -> None:
    run_module(cloud, "lambda_functions", wish)
    here = f"function {IMAGES}"
    table: list[tuple[Callable[[Cloud], None], str, str]] = [
        (function(Handler="images.other"), here, "handler"),
        (function(MemorySize=128), here, "memory_size"),
        (function(Timeout=3), here, "timeout"),
        (function(Description="mine"), here, "description"),
        (function(Runtime="python3.9"), here, "runtime"),
        (function(EphemeralStorage={"Size": 1024}), here, "ephemeral_storage"),
        (function(Environment={"Variables": {}}), here, "environment"),
        (function(TracingConfig={"Mode": "Active"}), here, "tracing"),
        (function(DeadLetterConfig={"TargetArn": ""}), here, "dead_letters"),
        (function(Role=ROLE.replace("stories-test", "other")), here, "role"),
        (
            lambda cloud: cloud.client("lambda").delete_function_concurrency(FunctionName=IMAGES),
            here,
            "concurrency",
        ),
        (foreign_code, here, "code_sha256"),
        (tagged, here, "Owner"),
        (no_permission, f"call function {IMAGES}", "bucket"),
        (another_account, f"call function {IMAGES}", "account"),
        (no_notifications, f"notifications of the media bucket for {PREFIX}", "functions"),
        (another_prefix, f"notifications of the media bucket for {PREFIX}", "elsewhere/"),
        (short_memory, f"queue {PREFIX}-dead-letters", "retention_seconds"),
    ]
    cloud.client("iam").create_role(RoleName="other-lambda", AssumeRolePolicyDocument=json.dumps(TRUST))
    for by_hand, resource, field in table:
        by_hand(cloud)
        drift = run_module(cloud, "lambda_functions", wish, check=True)
        assert len(steps(drift)) == 1, (field, drift["steps"])
        shown = drift["diff"][0]["before"] + drift["diff"][0]["after"]
        assert resource in shown, field
        assert field in shown
        assert steps(run_module(cloud, "lambda_functions", wish)) == steps(drift), field
    assert steps(run_module(cloud, "lambda_functions", wish)) == []


def test_functions_that_were_left_half_made_are_finished(cloud: Cloud, wish: dict[str, Any]) -> None:
    refusal = {"kind": "error", "code": "AccessDeniedException", "status": 403}
    for service in ("sqs", "lambda", "s3"):
        cloud.admin("POST", "/faults", {"service": service, "writes_only": True, "skip": 1, **refusal})
    first = run_module(cloud, "lambda_functions", wish)
    assert first["failed"] is True
    cloud.admin("DELETE", "/faults")
    run_module(cloud, "lambda_functions", wish)
    assert steps(run_module(cloud, "lambda_functions", wish)) == []


def test_notifications_of_others_stay_and_absent_removes_ours(cloud: Cloud, wish: dict[str, Any]) -> None:
    others = {"EventBridgeConfiguration": {}}
    s3 = cloud.client("s3")
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=others)
    run_module(cloud, "lambda_functions", wish)
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=BUCKET)
    gone = {key: wish[key] for key in ("name", "tags", "bucket")} | {"state": "absent"}
    assert len(steps(run_module(cloud, "lambda_functions", gone))) == len(MADE)
    assert steps(run_module(cloud, "lambda_functions", gone)) == []
    left = s3.get_bucket_notification_configuration(Bucket=BUCKET)
    assert "EventBridgeConfiguration" in left
    assert "LambdaFunctionConfigurations" not in left


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"memory_size": 64}, "Lambda takes 128 to 10240"),
        ({"timeout": 1000}, "Lambda takes 1 to 900"),
        ({"prefix": ""}, "it would be called for what it makes itself"),
        ({"prefix": "uploads/"}, "S3 refuses notifications that overlap"),
        ({"name": "documents"}, "Read function documents twice"),
        ({"name": "x" * 60}, "Shorten it"),
    ],
)
def test_a_bad_wish_is_one_clear_error_before_the_first_call(
    cloud: Cloud, wish: dict[str, Any], wrong: dict[str, Any], sentence: str
) -> None:
    functions = [{**wish["functions"][0], **wrong}, wish["functions"][1]]
    with cloud.recorded() as calls:
        result = run_module(cloud, "lambda_functions", {**wish, "functions": functions})
    assert result["failed"] is True
    assert sentence in result["msg"]
    assert calls == []


def test_the_same_sources_give_the_same_package_and_a_changed_one_another(
    cloud: Cloud, wish: dict[str, Any], tmp_path: Path
) -> None:
    source = tmp_path / "handlers"
    source.mkdir()
    (source / "images.py").write_text("def handler(event, context): return 1\n")
    small = {**wish, "source": str(source), "functions": wish["functions"][:1]}
    hashes = []
    for cache in ("one", "two"):
        result = run_module(cloud, "lambda_functions", {**small, "cache": str(tmp_path / cache)}, check=True)
        hashes.append(result["code_sha256"])
    (source / "images.py").write_text("def handler(event, context): return 2\n")
    changed = run_module(cloud, "lambda_functions", {**small, "cache": str(tmp_path / "one")}, check=True)
    assert hashes[0] == hashes[1] != changed["code_sha256"]
