"""A throw-away HyperQueue of the package `hyperqueue`: its server and a worker in this process.

    unshare --net --uts --pid --fork --kill-child --mount-proc sh -c '
        ip link set lo up; hostname localhost; PYTHON mini-hq.py serve DIR CPUS & wait; wait'

says `ready` and stays. The server listens on all addresses, which in a network namespace is the loopback alone.

    PYTHON mini-hq.py submit ..

is as much of the command `hq`, which the package does not bring, as `counterweight submit hq` uses: the same
options, read as its documentation says, submitted to the same server by the package's own client. It finds the
server by HQ_SERVER_DIR, as `hq` does.
"""

import argparse
import os
import signal
import sys

from hyperqueue import Client, Job, LocalCluster
from hyperqueue.cluster import WorkerConfig
from hyperqueue.ffi.protocol import ResourceRequest
from hyperqueue.task.program import ExternalProgram


def serve(folder, cpus):
    os.makedirs(folder, exist_ok=True)
    with LocalCluster(server_dir=folder, worker_config=WorkerConfig(cores=cpus)):
        print("ready", flush=True)
        signal.pause()


def numbers(text):
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def submit(arguments):
    known = argparse.ArgumentParser("hq submit", allow_abbrev=False)
    known.add_argument("--name")
    known.add_argument("--array", type=lambda text: list(numbers(text)), required=True)
    known.add_argument("--cpus", type=int, default=1)
    known.add_argument("--wait", action="store_true")
    end = arguments.index("--")
    options, command = known.parse_args(arguments[:end]), arguments[end + 1 :]
    # As for `hq submit`: no task's failure ends the others.
    job = Job(name=options.name, max_fails=None, default_workdir=os.getcwd())
    for task in options.array:
        program = ExternalProgram(
            task,
            args=command,
            cwd=os.getcwd(),
            stdout="%{CWD}/job-%{JOB_ID}/%{TASK_ID}.stdout",
            stderr="%{CWD}/job-%{JOB_ID}/%{TASK_ID}.stderr",
            resources=ResourceRequest(cpus=options.cpus),
        )
        job._add_task(program)
    client = Client(os.environ["HQ_SERVER_DIR"])
    submitted = client.submit(job)
    print(f"Job submitted successfully, job ID: {submitted.id}", flush=True)
    if options.wait and not client.wait_for_jobs([submitted], raise_on_error=False):
        sys.exit(1)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1] == "submit":
        submit(sys.argv[2:])
    elif sys.argv[1] != "--version":
        sys.exit(f"unknown command {sys.argv[1]}")
