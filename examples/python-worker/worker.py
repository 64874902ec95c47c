#!/usr/bin/env python3
"""A GPU worker for Nightkiln in the standard library of Python 3.9 or newer: docs/gpu-worker.md has the protocol.

Put what you want to compute into JOB_TYPES, near the end. Then:

    python3 worker.py --key-file ~/worker.key --listen 127.0.0.1:7801
"""
import argparse, csv, hashlib, hmac, json, math, os, pathlib, re, shutil, signal, socket, ssl, stat, subprocess, sys
import threading, time, traceback, uuid
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

PROTOCOL = 1
INLINE_BYTES = 256 * 1024
LOG_PIECE_BYTES = 64 * 1024
LOG_KEPT_BYTES = 1024 * 1024
LARGEST_BODY_BYTES = 2 * 1024 * 1024
LARGEST_FILE_BYTES = 1024 * 1024 * 1024
KEPT_SECONDS = 48 * 3600
ENDED = ("succeeded", "failed", "canceled")
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
SHA256 = re.compile(r"[0-9a-f]{64}")


class BadInput(Exception):
    """Raise it for parameters that cannot work: the job fails, and is not tried elsewhere."""


class Stopped(Exception):
    """Raised in a job that is to end: let it pass."""


class Refusal(Exception):
    def __init__(self, status, code, detail, headers=()):
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, dict(headers)


def now_text():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_file(path, data):
    """All or nothing, 0600, on the disk when it returns."""
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def to_json(value):
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


class Job:
    """One prediction, and what a job function gets: params, unit, seed, resume, and the calls below."""

    def __init__(self, worker, record, input=None):
        self.worker, self.record, self.input = worker, record, input or {}
        self.log_bytes = record.pop("log", "").encode()
        self.stop_reason, self.stop_event = None, threading.Event()
        self.lease_ends = self.began = self.stopped_at = None
        self.heard = time.monotonic()

    @property
    def params(self):
        return self.input["params"]

    @property
    def unit(self):
        return self.input.get("unit")

    @property
    def seed(self):
        """The same number in every attempt of the unit."""
        return self.input["seed"]

    def resume(self, format):
        """@returns what an earlier attempt saved last, or None; another format starts from zero, and the log says so."""
        resume = self.input.get("resume")
        if resume is None:
            return None
        if resume["format"] != format:
            self.log(f"checkpoint has the unknown format {resume['format']}, this worker writes {format}: from zero")
            return None
        if "inline" in resume:
            return resume["inline"]
        return json.loads(self.worker.file(resume["sha256"]).read_bytes())

    def check(self):
        """Call it in every loop: raises Stopped when the job is to end."""
        if self.stop_event.is_set():
            raise Stopped()

    def wait(self, seconds):
        if self.stop_event.wait(seconds):
            raise Stopped()

    def progress(self, current, total=None, message=None, stage=None):
        self.heard = time.monotonic()
        if not math.isfinite(current) or (total is not None and not math.isfinite(total)):
            raise ValueError(f"progress must be finite numbers, not {current} of {total}")
        self.record["progress"] = {"current": current, "total": total, "message": message, "stage": stage}

    def log(self, text):
        self.heard = time.monotonic()
        with self.worker.lock:
            self.log_bytes += (text + "\n").encode("utf-8", "replace")
            extra = len(self.log_bytes) - LOG_KEPT_BYTES
            if extra > 0:
                self.log_bytes = self.log_bytes[extra:]
                self.record["dropped"] += extra

    def report_device(self, name, kind):
        """kind: gpu (hardware), software (an imitation of one) or cpu. The job shows "gpu" only for hardware."""
        self.record["device"] = {"name": name[:200], "kind": kind}

    def checkpoint(self, format, state):
        """Where to go on from after an interruption, here, on another worker or on the processor of the manager."""
        self.heard = time.monotonic()
        with self.worker.lock:
            if self.record["status"] in ENDED:
                raise Stopped()
            self.record["seq"] += 1
            data = to_json(state)
            place = {"inline": state} if len(data) <= INLINE_BYTES else {"sha256": self.worker.keep(data)}
            self.record["checkpoint"] = {"format": format, "seq": self.record["seq"], **place}
            self.worker.write(self)

    def artifact(self, name, data, media_type="application/octet-stream"):
        made = {"name": name, "media_type": media_type, "bytes": len(data), "sha256": self.worker.keep(data)}
        with self.worker.lock:
            self.record["artifacts"].append(made)

    def lease_is_over(self):
        return self.lease_ends is not None and time.monotonic() >= self.lease_ends

    def renew(self, seconds):
        """Whoever comes too late finds the lease over: expiry is looked at first."""
        if seconds is None or self.record["status"] in ENDED or self.stop_reason is not None:
            return
        if self.lease_is_over() and self.record["on_lease_end"] == "cancel":
            self.stop("lease")
        else:
            self.lease_ends = time.monotonic() + seconds

    def stop(self, reason):
        if self.stop_reason is None and self.record["status"] not in ENDED:
            self.stop_reason, self.stopped_at = reason, time.monotonic()
            self.stop_event.set()

    def end(self, status, output=None, code=None, error=None, retry=None):
        """First come, first served: what a job returns after its end is dropped."""
        with self.worker.lock:
            if self.record["status"] in ENDED:
                return
            if status == "succeeded":
                data = to_json(output)
                small = len(data) <= INLINE_BYTES
                self.record["result"] = {"output": output} if small else {"output_sha256": self.worker.keep(data)}
            self.record.update(status=status, error_code=code, error=error and error[:4000], retry=retry)
            self.record["completed_at"] = now_text()
            if self.began is not None:
                self.record["predict_time"] = time.monotonic() - self.began
            self.worker.write(self)

    def end_stopped(self):
        if self.stop_reason == "cancel":
            self.end("canceled")
        elif self.stop_reason == "lease":
            self.end("failed", code="LEASE_EXPIRED", error="nobody renewed the lease of this run in time")
        else:
            self.end("failed", code="TIMEOUT", error="it ran longer than its time limit")

    def run(self):
        with self.worker.lock:
            self.began = time.monotonic()
            self.record.update(status="processing", started_at=now_text())
        try:
            self.end("succeeded", JOB_TYPES[self.input["type"]]["run"](self))
        except Stopped:
            self.end_stopped()
        except BadInput as error:
            self.end("failed", code="BAD_INPUT", error=str(error))
        except MemoryError:
            self.end("failed", code="OUT_OF_MEMORY", error="out of memory")
        except Exception as error:  # whatever the job function does, its slot is freed
            code = "OUT_OF_MEMORY" if "OutOfMemory" in type(error).__name__ else "HANDLER_ERROR"
            self.log(traceback.format_exc())
            self.end("failed", code=code, error=str(error) or type(error).__name__, retry="policy")
        finally:
            self.worker.thread_ended(self)

    def view(self, logs_from=0):
        """@returns the prediction as every route that names it answers."""
        record, log = self.record, self.log_bytes
        begin = min(max(logs_from, record["dropped"]), record["dropped"] + len(log))
        piece = log[begin - record["dropped"] :][:LOG_PIECE_BYTES]
        lease = None
        if record["status"] not in ENDED and self.lease_ends is not None:
            lease = max(0, round((self.lease_ends - time.monotonic()) * 1000))
        time_run = record.get("predict_time")
        if time_run is None and self.began is not None:
            time_run = time.monotonic() - self.began
        names = ("id", "status", "attempt_token", "created_at", "started_at", "completed_at", "artifacts", "error")
        return {
            **{name: record[name] for name in names + ("error_code", "retry", "checkpoint", "device")},
            **record.get("result", {}),
            "boot_id": self.worker.boot_id,
            "logs": piece.decode("utf-8", "replace"),
            "logs_next": begin + len(piece),
            "logs_total": record["dropped"] + len(log),
            "logs_dropped": record["dropped"],
            "metrics": {"progress": record["progress"], **({} if time_run is None else {"predict_time": time_run})},
            "lease_expires_in_ms": lease,
        }


class Worker:
    def __init__(self, state, slots):
        self.lock, self.boot_id, self.slots, self.running = threading.RLock(), str(uuid.uuid4()), slots, set()
        self.jobs, self.gpu_list, self.gpus_looked = {}, [], -math.inf
        self.predictions, self.files = state / "predictions", state / "files"
        for directory in (state, self.predictions, self.files):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in self.predictions.glob("*.json"):
            job = Job(self, json.loads(path.read_bytes()))
            self.jobs[job.record["id"]] = job
            if job.record["status"] not in ENDED:
                job.end("failed", code="WORKER_RESTARTED", error="the worker was started again while this ran")
        threading.Thread(target=self.keep_time, daemon=True).start()

    def write(self, job):
        record = {**job.record, "log": job.log_bytes.decode("utf-8", "replace")}
        write_file(self.predictions / f"{job.record['id']}.json", to_json(record))

    def file(self, sha256):
        path = self.files / sha256
        if not path.is_file():
            raise Refusal(422, "file_missing", f"there is no file {sha256} here: PUT it first")
        os.utime(path)
        return path

    def keep(self, data):
        sha256 = hashlib.sha256(data).hexdigest()
        write_file(self.files / sha256, data)
        return sha256

    def submit(self, id, body, lease):
        """@returns (HTTP status, job). A known id never runs again."""
        if not isinstance(body, dict) or body.get("id", id) != id:
            raise Refusal(422, "bad_request", "the id of the body is not that of the path")
        input = body.get("input")
        if input is None and isinstance(body.get("input_sha256"), str) and SHA256.fullmatch(body["input_sha256"]):
            try:
                input = json.loads(self.file(body["input_sha256"]).read_bytes())
            except (ValueError, RecursionError):
                raise Refusal(422, "bad_request", "the file with the input is no JSON") from None
        digest = hashlib.sha256(json.dumps(input, sort_keys=True).encode()).hexdigest()
        with self.lock:
            job = self.jobs.get(id)
            if job is not None:
                if job.record["input_digest"] != digest:
                    raise Refusal(422, "input_differs", f"{id} is known with another input")
                job.renew(lease)
                return (200 if job.record["status"] in ENDED else 202), job
            self.check_input(input)
            if len(self.running) >= self.slots:
                raise Refusal(409, "busy", f"all {self.slots} slots are taken", {"Retry-After": "2"})
            record = dict(id=id, status="starting", attempt_token=input["attempt_token"], created_at=now_text())
            record.update(started_at=None, completed_at=None, artifacts=[], error=None, error_code=None, retry=None)
            record.update(progress=None, checkpoint=None, device=None, dropped=0, input_digest=digest)
            record.update(on_lease_end=input.get("on_lease_end", "cancel"), seq=(input.get("resume") or {}).get("seq", 0))
            job = Job(self, record, input)
            job.renew(lease)
            self.write(job)  # before the answer: what was accepted is known after a restart
            self.jobs[id] = job
            self.running.add(job)
        threading.Thread(target=job.run, daemon=True).start()
        return 202, job

    def check_input(self, input):
        if not isinstance(input, dict):
            raise Refusal(422, "bad_request", "input must be an object")
        fields = dict(type=str, version=str, params=dict, job_id=str, unit_id=str, attempt_token=str)
        fields.update(position=int, attempt=int, seed=int)
        for name, kind in fields.items():
            if not isinstance(input.get(name), kind):
                raise Refusal(422, "bad_request", f"input.{name} must be of the type {kind.__name__}")
            if kind is str and len(input[name]) > 100:
                raise Refusal(422, "bad_request", f"input.{name} has more than 100 characters")
        if input.get("on_lease_end", "cancel") not in ("cancel", "finish"):
            raise Refusal(422, "bad_request", "input.on_lease_end must be cancel or finish")
        for name in ("timeout_ms", "idle_timeout_ms", "cancel_grace_ms"):
            value = input.get(name, 1)
            if not (isinstance(value, (int, float)) and 0 <= value < math.inf or (value is None and name != "cancel_grace_ms")):
                raise Refusal(422, "bad_request", f"input.{name} must be a number of milliseconds")
        served = JOB_TYPES.get(input["type"])
        if served is None:
            raise Refusal(422, "unknown_type", f"this worker has {', '.join(JOB_TYPES)}, not {input['type']}")
        if served["version"] != input["version"]:
            raise Refusal(422, "unknown_version", f"this worker has {input['type']} in version {served['version']}")
        resume = input.get("resume")
        if resume is not None:
            if not isinstance(resume, dict) or ("inline" in resume) == ("sha256" in resume):
                raise Refusal(422, "bad_request", "input.resume needs either inline or sha256")
            if not isinstance(resume.get("format"), str) or not isinstance(resume.get("seq"), int):
                raise Refusal(422, "bad_request", "input.resume needs a format and a seq")
            if "sha256" in resume:
                if not SHA256.fullmatch(str(resume["sha256"])):
                    raise Refusal(422, "bad_request", "input.resume.sha256 must be a SHA-256 in hex")
                self.file(resume["sha256"])

    def find(self, id):
        job = self.jobs.get(id)
        if job is None:
            raise Refusal(404, "not_found", f"{id} is not known here")
        return job

    def forget(self, id):
        with self.lock:
            job = self.find(id)
            job.stop("cancel")
            job.end_stopped()
            del self.jobs[id]
            (self.predictions / f"{id}.json").unlink(missing_ok=True)

    def thread_ended(self, job):
        with self.lock:
            self.running.discard(job)

    def keep_time(self):
        """Leases and time limits, by the monotonic clock."""
        swept = -math.inf
        while True:
            time.sleep(0.1)
            now = time.monotonic()
            with self.lock:
                for job in list(self.running):
                    limit, idle = job.input.get("timeout_ms"), job.input.get("idle_timeout_ms")
                    if job.lease_is_over() and job.record["on_lease_end"] == "cancel":
                        job.stop("lease")
                    elif job.began and ((limit and now - job.began > limit / 1000) or (idle and now - job.heard > idle / 1000)):
                        job.stop("timeout")
                    # Python cannot end a thread: the client is told, and the slot stays taken until the function returns.
                    if job.stopped_at and now - job.stopped_at > job.input.get("cancel_grace_ms", 3000) / 1000:
                        job.end_stopped()
            if now - swept > 600:
                swept = now
                self.sweep()

    def sweep(self):
        oldest = time.time() - KEPT_SECONDS
        with self.lock:
            for id, job in list(self.jobs.items()):
                path = self.predictions / f"{id}.json"
                if job.record["status"] in ENDED and (not path.exists() or path.stat().st_mtime < oldest):
                    self.forget(id)
            for path in self.files.iterdir():
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def health(self):
        with self.lock:
            free = max(0, self.slots - len(self.running))
        gpus = self.gpus()
        facts = lambda each: {name: each[name] for name in ("version", "checkpoint_format")}
        types = {
            name: {**facts(each), "gpu": each["gpu"] and len(gpus) > 0}
            for name, each in JOB_TYPES.items()
        }
        slots = {"total": self.slots, "free": free}
        about = {"status": "READY" if free else "BUSY", "protocol": PROTOCOL, "version": "python-example"}
        return {**about, "boot_id": self.boot_id, "slots": slots, "gpus": gpus, "job_types": types}

    def gpus(self):
        """What nvidia-smi says, looked at every 5 s at most. An empty list: no NVIDIA GPU."""
        if time.monotonic() - self.gpus_looked < 5:
            return self.gpu_list
        self.gpus_looked, fields = time.monotonic(), "index,name,uuid,memory.total,memory.used,driver_version,utilization.gpu"
        try:
            command = [shutil.which("nvidia-smi") or "nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
            text = subprocess.run(command, capture_output=True, text=True, timeout=3, check=True).stdout
        except (OSError, subprocess.SubprocessError):
            text = ""
        self.gpu_list = []
        for row in csv.reader(text.splitlines(), skipinitialspace=True):
            row = [cell.strip() for cell in row] + [""] * 7
            number = lambda cell: float(cell) if re.fullmatch(r"\d+(\.\d+)?", cell) else None
            gpu = {"index": int(number(row[0]) or 0), "name": row[1][:200], "uuid": row[2][:100] or None, "software": False}
            gpu.update(memory_total_mb=number(row[3]), memory_used_mb=number(row[4]), utilization=number(row[6]))
            self.gpu_list.append({**gpu, "driver_version": row[5][:100] or None})
        return self.gpu_list


class Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "nightkiln-python-worker", ""
    timeout = 30  # of one read: nobody holds a thread for ever
    worker = key = None

    def answer(self, status, value=None, headers=()):
        body = b"" if value is None else to_json(value)
        self.send_response(status)
        kind = "application/json" if status < 400 else "application/problem+json"
        for name, text in {**({} if value is None else {"Content-Type": kind}), **dict(headers)}.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self, most):
        """@returns the bytes of the body; nothing of a body that is too large is read."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or "Transfer-Encoding" in self.headers:
            raise Refusal(411, "bad_request", "a body needs a Content-Length")
        if int(length) > most:
            raise Refusal(413, "too_large", f"a body of {length} bytes; {most} are the most here")
        data = self.rfile.read(int(length))
        if len(data) < int(length):
            raise ConnectionError("the body ended too early")
        self.body_read = True
        return data

    def lease(self):
        text = self.headers.get("Worker-Lease")
        if text is None:
            return None
        if not re.fullmatch(r"[1-9]\d{0,5}", text):
            raise Refusal(400, "bad_request", "Worker-Lease must be whole seconds, such as 60")
        return int(text)

    def serve(self):
        self.body_read = self.headers.get("Content-Length", "0") == "0" and "Transfer-Encoding" not in self.headers
        try:
            given = self.headers.get("Authorization", "").encode("latin-1", "replace")
            if self.path != "/" and not hmac.compare_digest(given, b"Bearer " + self.key):
                raise Refusal(401, "key_refused", "the key is missing or wrong", {"WWW-Authenticate": "Bearer"})
            self.route()
        except Refusal as refusal:
            if not self.body_read:
                self.close_connection = True
            closing = {"Connection": "close"} if self.close_connection else {}
            self.answer(refusal.status, {"code": refusal.code, "detail": refusal.detail, "status": refusal.status}, {**refusal.headers, **closing})
        except (ConnectionError, socket.timeout):
            self.close_connection = True
        except Exception as error:  # such as a disk that is full: the others are served on
            print(f"{self.command} {urlsplit(self.path).path}: {type(error).__name__}: {error}", file=sys.stderr)
            self.close_connection = True
            self.answer(500, {"code": "not_ready", "detail": "the worker failed; its log says why", "status": 500}, {"Connection": "close"})

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = serve

    def route(self):
        url = urlsplit(self.path)
        method, parts, worker = self.command, [unquote(part) for part in url.path.strip("/").split("/")], self.worker
        if method == "GET" and parts == [""]:
            links = {"predictions_idempotent_url": "/predictions/{prediction_id}", "health_check_url": "/health-check"}
            links.update(predictions_get_url="/predictions/{prediction_id}", predictions_cancel_url="/predictions/{prediction_id}/cancel")
            return self.answer(200, links)
        if method == "GET" and parts == ["health-check"]:
            return self.answer(200, worker.health())
        if parts[0] == "files" and len(parts) == 2 and SHA256.fullmatch(parts[1]):
            return self.route_file(method, parts[1])
        if parts[0] != "predictions" or len(parts) not in (2, 3) or not ID.fullmatch(parts[1]):
            raise Refusal(404, "not_found", "there is no such address here")
        id, rest = parts[1], parts[2:]
        if method == "PUT" and not rest:
            try:
                body = json.loads(self.body(LARGEST_BODY_BYTES))
            except (ValueError, RecursionError):
                raise Refusal(400, "bad_request", "the body is no JSON") from None
            status, job = worker.submit(id, body, self.lease())
            return self.answer(status, job.view())
        if method == "GET" and not rest:
            text = parse_qs(url.query).get("logs_from", ["0"])[0]
            if not re.fullmatch(r"\d{1,15}", text):
                raise Refusal(400, "bad_request", "logs_from must be a number of bytes")
            with worker.lock:
                job = worker.find(id)
                job.renew(self.lease())
                return self.answer(200, job.view(int(text)))
        if method == "POST" and rest == ["cancel"]:
            with worker.lock:
                job = worker.find(id)
                job.stop("cancel")
                return self.answer(200, job.view())
        if method == "DELETE" and not rest:
            worker.forget(id)
            return self.answer(204)
        raise Refusal(405, "bad_request", f"{method} is not served here")

    def route_file(self, method, sha256):
        path = self.worker.files / sha256
        if method == "PUT":
            data = self.body(LARGEST_FILE_BYTES)
            if hashlib.sha256(data).hexdigest() != sha256:
                raise Refusal(422, "hash_differs", "the bytes have another SHA-256 than the address")
            write_file(path, data)
            return self.answer(201)
        if method not in ("GET", "HEAD"):
            raise Refusal(405, "bad_request", f"{method} is not served here")
        if not path.is_file():
            raise Refusal(404, "not_found", "there is no such file here")
        os.utime(path)
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(path.stat().st_size))
        self.end_headers()
        if method == "GET":
            with path.open("rb") as file:
                shutil.copyfileobj(file, self.wfile)

    def log_message(self, format, *values):
        pass  # addresses and statuses are of no use, and headers must never be written


# What this worker computes ------------------------------------------------------------------------------------------


def run_sleep(job):
    total = job.params.get("seconds")
    if not isinstance(total, (int, float)) or isinstance(total, bool) or not 0 <= total <= 604_800:
        raise BadInput("seconds must be a number from 0 to 604800")
    before = (job.resume("sleep/1") or {}).get("slept_s", 0)
    began = time.monotonic()
    while True:
        slept = min(total, before + time.monotonic() - began)
        job.progress(round(slept, 1), total, None, "sleeping")
        if slept >= total:
            break
        try:
            job.wait(min(1, total - slept))
        finally:
            job.checkpoint("sleep/1", {"slept_s": min(total, before + time.monotonic() - began)})
    if "fail_with" in job.params:
        raise RuntimeError(job.params["fail_with"])
    return job.params.get("result", {"slept_s": total})


def run_my_job(job):
    """The hook: your JAX, PyTorch or NumPyro code goes here. This one takes the mean of normal numbers, by chunks."""
    total, size = int(job.params.get("chunks", 10)), int(job.params.get("size", 1_000_000))
    saved = job.resume("my_job/1") or {"chunk": 0, "sum": 0.0}
    chunk_sum = best_backend(job)
    for chunk in range(saved["chunk"], total):
        job.check()
        # The seed and the number of the chunk make it the same numbers wherever and in however many attempts it runs.
        saved = {"chunk": chunk + 1, "sum": saved["sum"] + chunk_sum(job.seed, chunk, size)}
        job.progress(chunk + 1, total, None, "chunks")
        job.checkpoint("my_job/1", saved)
    return {"mean": saved["sum"] / (total * size), "numbers": total * size}


def best_backend(job):
    """@returns a function (seed, chunk, size) -> sum, on the best device at hand, after it was named."""
    try:
        import torch

        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if device.type == "cuda":
            job.report_device(torch.cuda.get_device_name(device), "gpu")
        else:
            job.report_device("processor (torch)", "cpu")

        def with_torch(seed, chunk, size):
            generator = torch.Generator(device=device).manual_seed(seed * 1_000_003 + chunk)
            return float(torch.randn(size, generator=generator, device=device, dtype=torch.float64).sum())

        return with_torch
    except ImportError:
        pass
    try:
        import jax

        kind = "gpu" if jax.devices()[0].platform in ("gpu", "cuda", "rocm") else "cpu"
        job.report_device(str(jax.devices()[0].device_kind), kind)

        def with_jax(seed, chunk, size):
            return float(jax.random.normal(jax.random.fold_in(jax.random.PRNGKey(seed), chunk), (size,)).sum())

        # NumPyro: build the kernel and MCMC(...) here, run it for some draws at a time, keep mcmc.last_state as checkpoint.
        return with_jax
    except ImportError:
        pass
    import random

    job.report_device("processor (no torch, no jax)", "cpu")

    def with_random(seed, chunk, size):
        numbers = random.Random(seed * 1_000_003 + chunk)
        total = 0.0
        for index in range(size):
            if index % 10_000 == 0:
                job.check()
            total += numbers.gauss(0, 1)
        return total

    return with_random


# version: raise it when params or result mean something else. checkpoint_format: the same name and version as in the
# handler on the other side, else checkpoints are not taken over. gpu: True when it computes on the GPU of this
# machine, where there is one.
JOB_TYPES = {
    "sleep": {"run": run_sleep, "version": "1", "checkpoint_format": "sleep/1", "gpu": False},
    "my_job": {"run": run_my_job, "version": "1", "checkpoint_format": "my_job/1", "gpu": True},
}


def read_key(path):
    about = os.stat(path)
    if os.name == "posix" and (about.st_mode & 0o077 or about.st_uid != os.getuid()):
        sys.exit(f"{path} can be read by others: chmod 600 {path}")
    key = pathlib.Path(path).read_bytes().strip()
    if len(key) < 16:
        sys.exit(f"{path} holds no key of at least 16 characters")
    return key


def main():
    parser = argparse.ArgumentParser(description="A GPU worker for Nightkiln.")
    parser.add_argument("--listen", default="127.0.0.1:7801", metavar="HOST:PORT", help="default 127.0.0.1:7801; port 0: any")
    parser.add_argument("--key-file", required=True, help="a file that only you can read (0600), with the key")
    parser.add_argument("--state", default="worker-state", type=pathlib.Path, help="directory for results and files")
    parser.add_argument("--slots", default=1, type=int, help="jobs at a time, default 1")
    parser.add_argument("--tls-cert", help="certificate (PEM)")
    parser.add_argument("--tls-key", help="its private key (PEM)")
    given = parser.parse_args()
    host, _, port = given.listen.rpartition(":")
    host = host.strip("[]")
    if given.slots < 1 or not port.isdigit() or (given.tls_cert is None) != (given.tls_key is None):
        parser.error("--listen is HOST:PORT, --slots at least 1, and --tls-cert and --tls-key go together")
    Requests.key, Requests.worker = read_key(given.key_file), Worker(given.state, given.slots)
    if ":" in host:
        ThreadingHTTPServer.address_family = socket.AF_INET6
    server = ThreadingHTTPServer((host, int(port)), Requests)
    server.daemon_threads = True
    if given.tls_cert is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(given.tls_cert, given.tls_key)
        # The handshake is made in the thread of the request: one slow client does not keep the others out.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    elif host not in ("127.0.0.1", "localhost", "::1"):
        print("nightkiln sends no key over plain HTTP to another machine: use --tls-cert or a tunnel", file=sys.stderr)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: os._exit(0))  # what runs is marked WORKER_RESTARTED at the next start
    scheme = "https" if given.tls_cert else "http"
    print(f"listening on {scheme}://{given.listen.rpartition(':')[0]}:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
