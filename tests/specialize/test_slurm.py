"""Training commands on a real Slurm of two nodes: what happens when driver, ranks, nodes and controller fail."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import pytest

from specialize import SAVED_AND_STOPPED, TrainingFailed
from specialize.config import OptimizerConfig, ParallelConfig, Precision, PretrainConfig
from specialize.slurm import Slurm, SlurmOptions, control_folder, job_name, read_options
from specialize.train import continue_pretraining
from tests.specialize import cluster as clusters

OPTIONS = {"ranks_per_node": 2, "poll_seconds": 0.1, "cpus_per_task": 1}


@pytest.fixture(scope="module")
def cluster():
    if clusters.missing():
        pytest.skip(clusters.missing())
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder, clusters.Cluster(Path(folder)) as made:
        yield made


@pytest.fixture
def slurm(cluster, monkeypatch, tmp_path):
    """Make a launcher whose ranks find a module of the test's own."""
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path.cwd()}")
    yield Slurm(options=SlurmOptions(**OPTIONS))
    cluster.ask("scancel", "--me")


@pytest.fixture
def log(tmp_path):
    folder = tmp_path / "Train" / "0123456789ab.partial"
    folder.mkdir(parents=True)
    return folder / "train.log"


@pytest.fixture
def module(tmp_path):
    def write(source):
        (tmp_path / "rank_module.py").write_text("import os, pathlib, sys, time\n" + textwrap.dedent(source))
        return "rank_module"

    return write


def run_aside(slurm, name, arguments, log, ranks=1):
    """Run in a thread; return it and a list that gets what was raised."""
    raised = []

    def body():
        try:
            slurm.run(name, arguments, ranks=ranks, log=log)
        except TrainingFailed as failure:
            raised.append(str(failure))

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    return thread, raised


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(condition)
        time.sleep(0.05)


def jobs(cluster):
    return cluster.ask("squeue", "--me", "-h", "-o", "%A %T").split("\n")[:-1]


def test_four_ranks_on_two_nodes_meet(slurm, log, module, tmp_path):
    name = module("""
        names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "SLURMD_NODENAME", "CUDA_VISIBLE_DEVICES")
        pathlib.Path(sys.argv[1], os.environ["RANK"]).write_text(" ".join(os.environ[name] for name in names))
        print("hello from", os.environ["RANK"])
    """)
    slurm.run(name, [str(tmp_path)], ranks=4, log=log)
    said = [(tmp_path / str(rank)).read_text() for rank in range(4)]
    assert said == [f"{rank} {rank % 2} 4 2 127.0.0.1 n{rank // 2 + 1} 0,1" for rank in range(4)]
    assert log.read_text() == "hello from 0\n"
    assert log.with_name("train.3.log").read_text() == "hello from 3\n"
    assert not control_folder(log.parent).exists()


def test_a_failed_rank_names_its_node_and_its_last_lines(slurm, log, module):
    name = module("""
        if os.environ["RANK"] == "3":
            sys.exit("rank three is unwell")
        time.sleep(60)
    """)
    started = time.monotonic()
    with pytest.raises(
        TrainingFailed,
        match=r"(?s)training rank 3 on n2 \(Slurm job \d+\) exited with 1; see .*train\.3\.log.*three is unwell",
    ):
        slurm.run(name, [], ranks=4, log=log)
    assert time.monotonic() - started < 30


def test_a_killed_driver_finds_its_job(slurm, cluster, log, module, tmp_path):
    """SIGKILL and a lost parent both leave the job; the next driver attaches and submits nothing."""
    name = module(f"""
        pathlib.Path({str(tmp_path)!r}, "starts").open("a").write("x")
        while not pathlib.Path({str(tmp_path)!r}, "go").exists():
            time.sleep(0.05)
    """)
    script = f"""
        import pathlib
        from specialize.slurm import Slurm, SlurmOptions
        Slurm(options=SlurmOptions(**{OPTIONS!r})).run({name!r}, [], ranks=1, log=pathlib.Path({str(log)!r}))
    """
    driver = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    wait_for((tmp_path / "starts").exists)
    driver.kill()
    driver.wait()
    (control_folder(log.parent) / "job.json").unlink()  # killed between sbatch and its record: found by the name
    thread, raised = run_aside(slurm, name, [], log)
    time.sleep(0.5)
    (tmp_path / "go").touch()
    thread.join(30)
    assert (raised, (tmp_path / "starts").read_text()) == ([], "x")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_driver_cancels_its_job(slurm, cluster, log, module, tmp_path, number):
    name = module("time.sleep(60)")
    script = f"""
        import pathlib, signal, sys
        from specialize.slurm import Slurm, SlurmOptions
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        Slurm(options=SlurmOptions(**{OPTIONS!r})).run({name!r}, [], ranks=2, log=pathlib.Path({str(log)!r}))
    """
    driver = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stderr=subprocess.DEVNULL)
    wait_for(lambda: any("RUNNING" in line for line in jobs(cluster)))
    driver.send_signal(number)
    assert driver.wait(20) != 0
    wait_for(lambda: jobs(cluster) == [])


def test_a_driver_whose_parent_is_gone_leaves_the_job(slurm, cluster, log, module, tmp_path):
    name = module(f"""
        while not pathlib.Path({str(tmp_path)!r}, "go").exists():
            time.sleep(0.05)
    """)
    script = f"""
        import pathlib
        from pipelines.execute import end_with_parent
        from specialize.slurm import Slurm, SlurmOptions
        end_with_parent()
        Slurm(options=SlurmOptions(**{OPTIONS!r})).run({name!r}, [], ranks=1, log=pathlib.Path({str(log)!r}))
    """
    (tmp_path / "driver.py").write_text(textwrap.dedent(script))
    shell = subprocess.Popen(
        ["bash", "-c", '"$0" "$1" > "$2"; true', sys.executable, tmp_path / "driver.py", tmp_path / "said"]
    )
    wait_for(lambda: any("RUNNING" in line for line in jobs(cluster)))
    shell.kill()
    shell.wait()
    wait_for(lambda: "goes on" in (tmp_path / "said").read_text())
    assert any("RUNNING" in line for line in jobs(cluster))
    thread, raised = run_aside(slurm, name, [], log)
    (tmp_path / "go").touch()
    thread.join(30)
    assert raised == []


def test_a_preempted_job_is_waited_for(slurm, cluster, log, module, tmp_path, capsys):
    name = module(f"""
        starts = pathlib.Path({str(tmp_path)!r}, "starts")
        starts.open("a").write("x")
        if len(starts.read_text()) == 1:
            time.sleep(60)
    """)
    thread, raised = run_aside(slurm, name, [], log)
    wait_for((tmp_path / "starts").exists)
    number = jobs(cluster)[0].split()[0]
    cluster.ask("sbatch", "--partition=urgent", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap=sleep 0.5")
    wait_for(lambda: f"{number} PENDING" in jobs(cluster))
    thread.join(60)
    assert (raised, (tmp_path / "starts").read_text()) == ([], "xx")
    assert re.search(r"(?s)running on n.*pending.*running on n.*completed", capsys.readouterr().out)


def test_ranks_that_saved_before_the_limit_run_again_under_the_same_number(slurm, cluster, log, module, tmp_path):
    name = module(f"""
        import signal
        signal.signal(signal.SIGUSR1, lambda *_: sys.exit({SAVED_AND_STOPPED}))
        with pathlib.Path({str(tmp_path)!r}, "numbers").open("a") as numbers:
            numbers.write(os.environ["SLURM_JOB_ID"] + " ")
        ready = pathlib.Path({str(tmp_path)!r}, "ready." + os.environ["RANK"])
        if not ready.exists():
            ready.touch()
            time.sleep(60)
    """)
    thread, raised = run_aside(slurm, name, [], log, ranks=2)
    wait_for(lambda: len(list(tmp_path.glob("ready.*"))) == 2)
    number = (tmp_path / "numbers").read_text().split()[0]
    cluster.ask("scancel", "--signal=USR1", number)
    wait_for(lambda: f"{number} PENDING" in jobs(cluster))
    thread.join(60)
    assert (raised, (tmp_path / "numbers").read_text().split()) == ([], [number] * 4)


def test_a_restarted_controller_is_waited_for(slurm, cluster, log, module, tmp_path):
    name = module(f"""
        pathlib.Path({str(tmp_path)!r}, "started").touch()
        while not pathlib.Path({str(tmp_path)!r}, "go").exists():
            time.sleep(0.05)
    """)
    thread, raised = run_aside(slurm, name, [], log)
    wait_for((tmp_path / "started").exists)
    cluster.stop("slurmctld", signal.SIGTERM)  # it keeps its jobs on disk
    (tmp_path / "go").touch()
    time.sleep(1)
    assert thread.is_alive()
    cluster.start("slurmctld")
    thread.join(60)
    assert raised == []


def test_a_job_cancelled_by_another_hand(slurm, cluster, log, module):
    name = module("print('under way', flush=True); time.sleep(60)")
    thread, raised = run_aside(slurm, name, [], log)
    wait_for(lambda: log.exists() and "under way" in log.read_text())
    cluster.ask("scancel", "--me")
    thread.join(30)
    assert re.search(r"(?s)Slurm job \d+ ended as CANCELLED; see .*job\.log, which ends:.*under way", raised[0])
    wait_for(lambda: jobs(cluster) == [])


@pytest.mark.slow
def test_a_node_that_cannot_start_the_job_is_not_the_end(slurm, cluster, log, module, tmp_path, capsys):
    """Slurm puts such a node aside and holds the job, for ever unless it is released."""
    name = module(f"pathlib.Path({str(tmp_path)!r}, 'node').write_text(os.environ['SLURMD_NODENAME'])")
    bad = cluster.root / "n1.is_bad"
    bad.touch()
    thread, raised = run_aside(slurm, name, [], log)
    thread.join(60)
    bad.unlink()
    cluster.ask("scontrol", "update", "NodeName=n1", "State=resume")
    assert (raised, (tmp_path / "node").read_text()) == ([], "n2")
    assert "launch_failed_requeued_held" in capsys.readouterr().out


@pytest.mark.slow
def test_a_lost_node_puts_the_job_back_into_the_queue(slurm, cluster, log, module, tmp_path):
    name = module(f"""
        starts = pathlib.Path({str(tmp_path)!r}, "starts")
        starts.open("a").write(os.environ["SLURMD_NODENAME"] + "\\n")
        if len(starts.read_text().split()) == 1:
            time.sleep(120)
    """)
    thread, raised = run_aside(slurm, name, [], log)
    wait_for((tmp_path / "starts").exists)
    node, number = (tmp_path / "starts").read_text().strip(), jobs(cluster)[0].split()[0]
    cluster.stop(node)
    wait_for(lambda: f"{number} PENDING" in jobs(cluster) or f"{number} RUNNING" in jobs(cluster), 60)
    thread.join(120)
    cluster.start(node)
    assert raised == []
    assert len((tmp_path / "starts").read_text().split()) == 2


@pytest.mark.slow
def test_training_on_two_nodes_stopped_and_queued_again(slurm, cluster, tmp_path, monkeypatch, base, code, text):
    """Two data-parallel ranks, a node each, warned of the time limit on the way: as good as never stopped."""
    config = PretrainConfig(
        seq_length=64,
        global_batch_size=4,
        micro_batch_size=2,
        train_steps=200,
        max_epochs=100.0,
        optimizer=OptimizerConfig(learning_rate=1e-3),
        parallel=ParallelConfig(data_parallel=2),
        precision=Precision.FP32,
        checkpoint_interval=1000,
    )
    slurm = Slurm(options=SlurmOptions(**OPTIONS | {"ranks_per_node": 1}, setup="export GLOO_SOCKET_IFNAME=lo"))
    records = []
    for name in ("unbroken", "stopped"):
        out = tmp_path / name / "ab.partial"
        out.mkdir(parents=True)
        done = threading.Event()
        if name == "stopped":
            threading.Thread(target=_warn_once, args=(cluster, out, done), daemon=True).start()
        continue_pretraining(out, code=code, text=text, base=base, config=config, launcher=slurm)
        assert name == "unbroken" or done.wait(1)
        rows = [json.loads(line) for line in (out / "progress.jsonl").read_text().splitlines()]
        records.append([(row["step"], row["loss"], row["grad_norm"]) for row in rows])
    assert records[0] == records[1]
    assert (tmp_path / "stopped" / "ab.partial" / "train.log").read_text().count("training from step") == 2


def _warn_once(cluster, out, done):
    """Do at the tenth step what Slurm does before the limit."""
    wait_for(lambda: (out / "progress.jsonl").exists() and (out / "progress.jsonl").read_text().count("\n") >= 10, 120)
    number = jobs(cluster)[0].split()[0]
    cluster.ask("scancel", "--signal=USR1", number)
    wait_for(lambda: f"{number} PENDING" in jobs(cluster))
    done.set()


def test_what_sbatch_refuses_is_said(slurm, log, module):
    refused = Slurm(options=SlurmOptions(**OPTIONS, partition="nowhere"))
    with pytest.raises(TrainingFailed, match="sbatch refused: "):
        refused.run(module(""), [], ranks=1, log=log)


def test_without_slurm_the_launcher_says_where_to_start(log, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(TrainingFailed, match="squeue is not on the PATH: start the command on a login node"):
        Slurm(options=SlurmOptions()).run("module", [], ranks=1, log=log)


def test_ranks_must_fill_their_nodes():
    assert SlurmOptions(ranks_per_node=8).nodes(64) == (8, 8)
    assert SlurmOptions(ranks_per_node=8).nodes(4) == (1, 4)
    with pytest.raises(ValueError, match="12 ranks do not fill nodes of 8"):
        SlurmOptions(ranks_per_node=8).nodes(12)


def test_sections_of_a_place_stand_over_the_common_one():
    sections = {
        "training": (("account", "lab"), ("gpu", "gpu:h100"), ("ranks_per_node", "4")),
        "cpu": (("partition", "cpu"), ("cpus_per_task", "96")),
    }
    training, gpu, cpu = (read_options(sections, place) for place in ("training", "gpu", "cpu"))
    assert (training.ranks_per_node, training.gpu, training.partition) == (4, "gpu:h100", "")
    assert (gpu.ranks_per_node, gpu.gpu, gpu.account) == (1, "gpu:h100", "lab")
    assert (cpu.gpu, cpu.partition, cpu.cpus_per_task, cpu.account) == ("", "cpu", 96, "lab")
    with pytest.raises(ValueError, match=r"luigi.cfg \[slurm\] acount is not known; known are account"):
        read_options({"training": (("acount", "lab"),)}, "training")
    with pytest.raises(ValueError, match=r"luigi.cfg \[slurm.cpu\] cpus_per_task must be a number, got 'many'"):
        read_options({"cpu": (("cpus_per_task", "many"),)}, "cpu")


def test_two_stores_have_two_names(tmp_path):
    names = {job_name(control_folder(tmp_path / store / "Train" / "ab.partial")) for store in ("a", "b")}
    assert len(names) == 2
    assert all(name.startswith("Train-ab-") for name in names)
