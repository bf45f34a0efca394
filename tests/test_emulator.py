"""The emulator behaves as AWS does where our code could tell the difference: each correction on a small example."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from emulator import Emulator, EmulatorError, SandboxError, require_sandbox, sandbox, start
from emulator.process import NOWHERE, refuse_remote
from toys import RUNTIME, toy, wait_for, zipped


def test_default_clients_reach_the_emulator_and_nothing_else(aws: Emulator, bucket: str) -> None:
    boto3.client("s3").put_object(Bucket=bucket, Key="raw/a b+c.csv", Body=b"x")
    listed = boto3.client("s3").list_objects_v2(Bucket=bucket)
    assert [entry["Key"] for entry in listed["Contents"]] == ["raw/a b+c.csv"]
    assert aws.endpoint.startswith("https://127.0.0.1:")


def test_without_the_fixture_no_account_is_in_reach() -> None:
    assert {name: os.environ[name] for name in NOWHERE} == NOWHERE
    assert boto3.session.Session().get_credentials() is None


def test_an_endpoint_elsewhere_is_refused() -> None:
    with pytest.raises(EmulatorError, match="this machine only"):
        refuse_remote("https://s3.eu-central-1.amazonaws.com")


def test_nothing_is_left_running(tmp_path: Path) -> None:
    def processes() -> str:
        return subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True).stdout

    with start(tmp_path / "one") as running:
        slow = toy(running, "import time\ndef handler(event, context):\n    time.sleep(60)\n", Timeout=90)
        slow.send(None)
        wait_for(lambda: f"{tmp_path}/one/tmp/root-" in processes())
    assert str(tmp_path) not in processes()
    with pytest.raises(OSError, match="refused"):
        running.reset()


def test_another_version_of_ministack_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("emulator.process.MINISTACK", "1.5.32")
    with pytest.raises(EmulatorError, match=r"needs ministack 1\.5\.32, this is 1\.5\.33"), start(tmp_path):
        pass


def test_by_hand_it_prints_what_to_export(tmp_path: Path) -> None:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tests.emulator", "--port", str(port)]
    root = Path(__file__).parents[1]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(13)]
        again = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        process.terminate()
    assert f"export AWS_ENDPOINT_URL=https://127.0.0.1:{port}\n" in lines
    assert f"export ENERGY_AWS__RUNTIME={RUNTIME}\n" in lines
    assert again.returncode == 1
    assert f"the emulator ended at once, with exit code 1, at https://127.0.0.1:{port}." in again.stderr
    assert "give another --port" in again.stderr and "already in use" in again.stderr


def test_a_port_that_is_none_is_refused() -> None:
    command = [sys.executable, "-m", "tests.emulator", "--port", "80000"]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "80000 is no port" in done.stderr and "Traceback" not in done.stderr


def test_an_emulator_that_does_not_answer_in_time_says_what_to_look_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("emulator.process.START_SECONDS", 0.001)
    with pytest.raises(EmulatorError) as caught, start(tmp_path):
        pass
    said = str(caught.value)
    assert "did not answer within 0.001 s, at https://127.0.0.1:" in said
    assert "too busy" in said and said.endswith("Its log is empty.")


def test_a_function_sees_its_own_packages_and_the_runtimes_alone(aws: Emulator) -> None:
    code = """
        import importlib.util, os, sys
        def handler(event, context):
            names = ["boto3", "awslambdaric", "duckdb", "pandas", "pytest", "energy_analytics", "pip", "ours"]
            return {"found": [name for name in names if importlib.util.find_spec(name)], "path": sys.path,
                    "environment": sorted(os.environ), "cwd": os.getcwd()}
    """
    layer = aws.client("lambda").publish_layer_version(
        LayerName="ours", Content={"ZipFile": zipped({"python/ours.py": "", "python/toy.py": "no code"})}
    )
    seen = toy(aws, code, Layers=[layer["LayerVersionArn"]]).invoke().value
    assert seen["found"] == ["boto3", "awslambdaric", "ours"]
    packages = f"/opt/python/lib/{RUNTIME}/site-packages"
    assert seen["path"][:4] == ["/var/task", packages, "/opt/python", "/var/runtime"]
    assert seen["cwd"] == "/var/task"
    assert not {"PYTHONPATH", "VIRTUAL_ENV", "HOME", "USER", "AUTH"} & set(seen["environment"])


def test_only_tmp_can_be_written_and_it_has_its_size(aws: Emulator) -> None:
    code = """
        import os, shutil
        def handler(event, context):
            said = {}
            for folder in ["/var/task", "/opt", "/var/runtime", "/", "/usr/lib", "/dev/shm"]:
                try:
                    open(folder + "/file", "w")
                except OSError as error:
                    said[folder] = error.strerror
            with open("/tmp/full", "wb") as file:
                try:
                    for _ in range(event["mb"]):
                        file.write(bytes(1024 * 1024))
                except OSError as error:
                    said["/tmp"] = error.strerror
            return said | {"size": shutil.disk_usage("/tmp").total // 1024 ** 2}
    """
    said = toy(aws, code, EphemeralStorage={"Size": 512}, MemorySize=512).invoke({"mb": 600}).value
    assert said.pop("/dev/shm") == "No such file or directory"  # noqa: S108
    assert said.pop("/tmp") == "No space left on device"  # noqa: S108
    assert said.pop("size") == 512
    assert set(said) == {"/var/task", "/opt", "/var/runtime", "/", "/usr/lib"}


def test_time_zones_are_those_that_the_function_brings(aws: Emulator) -> None:
    code = """
        import time, zoneinfo
        def handler(event, context):
            assert time.tzname == ("UTC", "UTC")
            zoneinfo.ZoneInfo("Europe/Berlin")
    """
    assert "No time zone found" in toy(aws, code).invoke().error


def test_memory_over_the_limit_ends_the_function_with_its_children(aws: Emulator) -> None:
    code = """
        import subprocess, sys
        def handler(event, context):
            if event["child"]:
                subprocess.run([sys.executable, "-c", "held = bytes(1) * 300 * 1024 ** 2; import time; time.sleep(9)"])
            else:
                held = b"x" * 300 * 1024 ** 2
    """
    greedy = toy(aws, code, MemorySize=200)
    for child in (False, True):
        answer = greedy.invoke({"child": child})
        assert answer.value["errorType"] == "Runtime.ExitError"
        assert answer.error.endswith("Runtime exited with error: signal: killed")
    assert "Memory Size: 200 MB\tMax Memory Used: 200 MB" in answer.log
    assert "Status: error\tError Type: Runtime.ExitError" in answer.log


def test_the_report_tells_the_memory_of_the_whole_tree_and_the_cold_start(aws: Emulator) -> None:
    code = """
        import time
        time.sleep(0.3)
        def handler(event, context):
            held = b"x" * 100 * 1024 ** 2
    """
    function = toy(aws, code)
    function.invoke()
    lines = function.invoke().log.splitlines()
    cold, warm = (line for line in lines if line.startswith("REPORT"))
    init = re.search(r"Init Duration: ([\d.]+) ms", cold)
    assert init
    assert 300 < float(init[1]) < 5000
    assert "Init Duration" not in warm
    used = re.search(r"Max Memory Used: (\d+) MB", warm)
    assert used
    assert 100 < int(used[1]) < 200


def test_a_function_over_its_time_is_ended(aws: Emulator) -> None:
    slow = toy(aws, "import time\ndef handler(event, context):\n    print('begun')\n    time.sleep(30)\n", Timeout=1)
    answer = slow.invoke()
    assert answer.value["errorType"] == "Sandbox.Timedout"
    assert answer.error.endswith("Task timed out after 1.00 seconds")
    lines = answer.log.splitlines()
    assert "begun" in lines
    assert re.fullmatch(r"\S+Z [0-9a-f-]{36} Task timed out after 1\.00 seconds", lines[-3])
    assert lines[-1].endswith("Status: timeout")


def test_json_logs_as_the_service_writes_them(aws: Emulator) -> None:
    code = """
        import logging
        def handler(event, context):
            logging.getLogger().warning("said")
            raise ValueError("no good")
    """
    function = toy(aws, code, LoggingConfig={"LogFormat": "JSON"})
    answer = function.invoke()
    assert answer.value["errorType"] == "ValueError"
    start, begun, warned, raised, report = (json.loads(line) for line in answer.log.splitlines())
    assert [start["type"], begun["type"], report["type"]] == ["platform.initStart", "platform.start", "platform.report"]
    assert (warned["level"], warned["message"], raised["errorMessage"]) == ("WARNING", "said", "no good")
    assert report["record"]["status"] == "error"
    assert report["record"]["metrics"]["memorySizeMB"] == 256
    assert report["record"]["metrics"]["initDurationMs"] > 0


def test_embedded_metrics_become_data_points(aws: Emulator) -> None:
    code = """
        import json, time
        def handler(event, context):
            metrics = {"Namespace": "Toys", "Dimensions": [["site"]], "Metrics": [{"Name": "rows", "Unit": "Count"}]}
            print(json.dumps({"_aws": {"Timestamp": 0, "CloudWatchMetrics": [metrics]}, "site": "a", "rows": 7}))
    """
    toy(aws, code).invoke()
    listed = aws.client("cloudwatch").list_metrics(Namespace="Toys")["Metrics"]
    assert listed == [{"Namespace": "Toys", "MetricName": "rows", "Dimensions": [{"Name": "site", "Value": "a"}]}]


def test_without_a_sandbox_functions_fail_and_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", "/nowhere")
    sandbox._namespaces.cache_clear()
    with pytest.raises(SandboxError, match="functions need root, or user namespaces for everyone"):
        require_sandbox()
    sandbox._namespaces.cache_clear()


def test_the_runtime_must_be_the_interpreter_at_hand(aws: Emulator) -> None:
    other = "python3.12" if RUNTIME != "python3.12" else "python3.13"
    answer = toy(aws, "def handler(event, context): pass", Runtime=other).invoke()
    assert answer.value["errorType"] == "EMULATOR_NO_SANDBOX"
    assert f"wants the runtime {other}, the interpreter at hand is {RUNTIME}" in answer.error


def test_a_role_allows_what_it_says_and_no_more(aws: Emulator, bucket: str) -> None:
    code = """
        import boto3
        def handler(event, context):
            s3, said = boto3.client("s3"), {}
            for name, call in {
                "get": lambda: s3.get_object(Bucket=event, Key="in/file"),
                "put": lambda: s3.put_object(Bucket=event, Key="out/file"),
                "put elsewhere": lambda: s3.put_object(Bucket=event, Key="in/file"),
                "list": lambda: s3.list_objects_v2(Bucket=event),
            }.items():
                try:
                    call()
                except s3.exceptions.ClientError as error:
                    said[name] = error.response["Error"]["Code"]
            return said
    """
    aws.client("s3").put_object(Bucket=bucket, Key="in/file")
    rights = [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/in/*"},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/out/*"},
    ]
    function = toy(aws, code, rights=rights)
    answer = function.invoke(bucket)
    assert answer.value == {"put elsewhere": "AccessDenied", "list": "AccessDenied"}
    assert answer.log == "", "without the right to write logs there are none"
