"""Builds the image, and runs containers of it by crun: without an engine, and with what a restricted pod has.

A container here has no capability, a read-only root, no network but its own loopback, and the seccomp profile that engines apply
by default.
"""

import contextlib
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# No test waits for so long; only what hangs does.
PATIENCE = 120
TOOLS = {"umoci": "umoci", "crun": "crun", "skopeo": "skopeo", "strace": "strace", "jq": "jq", "strip": "binutils", "openssl": "openssl"}
# The profile that engines apply by default.
SECCOMP = "/usr/share/containers/seccomp.json"
SECCOMP_PACKAGE = "golang-github-containers-common"
ARCHITECTURES = {"x86_64": ("amd64", "SCMP_ARCH_X86_64"), "aarch64": ("arm64", "SCMP_ARCH_AARCH64")}


def fail(text, hint=None):
    sys.exit(f"error: {text}" + (f"\nhint: {hint}" if hint else ""))


def check(condition, text):
    if not condition:
        fail(text)


def run(*command, **options):
    """Runs a program that must succeed, and returns its standard output."""
    ended = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, timeout=300, **options)
    check(ended.returncode == 0, f"{' '.join(map(str, command[:3]))} exits with {ended.returncode}")
    return ended.stdout


def until(what, condition):
    """Waits until a condition holds, and returns what it gave."""
    ends = time.monotonic() + PATIENCE
    while not (found := condition()):
        check(time.monotonic() < ends, f"not within {PATIENCE} s: {what}")
        time.sleep(0.02)
    return found


def find_binary(argument):
    binary = pathlib.Path(argument or ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug/secretdir").resolve()
    check(os.access(binary, os.X_OK), f"there is no {binary}: build the command first: cargo build -p secretdir")
    return binary


def install_tools():
    missing = {package for tool, package in TOOLS.items() if not shutil.which(tool)}
    missing = sorted(missing | (set() if os.path.exists(SECCOMP) else {SECCOMP_PACKAGE}))
    if missing and (os.geteuid() != 0 or not shutil.which("apt-get")):
        fail(f"these tools are missing: {' '.join(missing)}", f"apt-get install {' '.join(missing)}")
    if missing:
        run("apt-get", "update", "-q")
        run("apt-get", "install", "-qy", "--no-install-recommends", *missing, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def enter(script):
    """Starts the script again where crun can work: with mounts of its own, of which /sys/fs/cgroup is cgroup2 only.

    It has processes of its own, too: all of them end with the script.
    """
    if os.environ.get("SECRETDIR_RELEASE_ENTERED") == "1":
        return
    check(os.geteuid() == 0, "running containers needs root")
    spaces = ["unshare", "--mount", "--cgroup", "--pid", "--fork", "--kill-child", "--mount-proc"]
    inside = """
        while umount -l /sys/fs/cgroup 2>/dev/null; do :; done
        mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"
    """
    if subprocess.run([*spaces, "sh", "-c", inside, "sh", "true"], stderr=subprocess.DEVNULL).returncode:
        print(f"NOT RUN: {os.path.relpath(script, ROOT)}: no namespaces may be made here, or no cgroup2 mounted", file=sys.stderr)
        sys.exit(0)
    os.environ["SECRETDIR_RELEASE_ENTERED"] = "1"
    os.execvp("unshare", [*spaces, "sh", "-c", inside, "sh", sys.executable, script, *sys.argv[1:]])


def seccomp():
    """Returns the default profile for a container without capabilities, as an engine hands it to crun."""
    with open(SECCOMP, encoding="utf-8") as file:
        profile = json.load(file)
    architecture, name = ARCHITECTURES[platform.machine()]
    rules = []
    for rule in profile["syscalls"]:
        only = rule["includes"]
        if only.get("caps") or architecture not in only.get("arches", [architecture]):
            continue
        wanted = {"names": rule["names"], "action": rule["action"], "args": rule["args"] or []}
        if "errnoRet" in rule:
            wanted["errnoRet"] = rule["errnoRet"]
        rules.append(wanted)
    return {
        "defaultAction": profile["defaultAction"],
        "defaultErrnoRet": profile["defaultErrnoRet"],
        "architectures": [name],
        "syscalls": rules,
    }


class Image:
    """The image, as a layout and unpacked."""

    def __init__(self, binary, work):
        self.layout = work / "layout"
        self.digest = run(ROOT / "cli/packaging/image", binary, self.layout).split()[-1]
        self.tag = json.loads((self.layout / "index.json").read_text())["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"]
        run("umoci", "unpack", "--image", f"{self.layout}:{self.tag}", work / "unpacked", stderr=subprocess.DEVNULL)
        self.rootfs = work / "unpacked/rootfs"
        self.config = json.loads((work / "unpacked/config.json").read_text())
        self.work = work

    def blob(self, digest):
        return self.layout / "blobs" / digest.replace(":", "/")


def bind(source, target, *options):
    return {"destination": str(target), "source": str(source), "type": "bind", "options": ["rbind", *options]}


def tmpfs(target, *options):
    return {"destination": str(target), "source": "tmpfs", "type": "tmpfs", "options": ["nosuid", "nodev", *options]}


class Container:
    """One container. Its root and its user are those of the image, unless it gets others."""

    made = 0

    def __init__(self, image, *args, uid=None, gid=0, groups=(), mounts=(), env=None, network=False, root=None, entrypoint=None):
        Container.made += 1
        self.name = f"secretdir-{os.getpid()}-{Container.made}"
        self.bundle = image.work / self.name
        self.state = image.work / "crun"
        config = json.loads(json.dumps(image.config))
        process = config["process"]
        process["terminal"] = False
        if uid is not None:
            process["user"] = {"uid": uid, "gid": gid}
        process["user"]["additionalGids"] = list(groups)
        process["args"] = [*(process["args"] if entrypoint is None else entrypoint), *map(str, args)]
        process["env"] += [f"{name}={value}" for name, value in (env or {}).items()]
        process["capabilities"] = {kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")}
        process["noNewPrivileges"] = True
        # Changing these takes capabilities that whoever runs the test may lack.
        process.pop("rlimits", None)
        config["linux"].pop("resources", None)
        config["linux"]["seccomp"] = seccomp()
        if network:
            config["linux"]["namespaces"] = [one for one in config["linux"]["namespaces"] if one["type"] != "network"]
        config["root"] = {"path": str(root or image.rootfs), "readonly": True}
        config["mounts"] = [mount for mount in config["mounts"] if mount["type"] != "cgroup"] + list(mounts)
        self.process = process
        self.bundle.mkdir()
        (self.bundle / "config.json").write_text(json.dumps(config))
        self.running = None

    def crun(self, verb, *args, **options):
        command = ["crun", "--root", str(self.state), "--cgroup-manager=disabled", verb, *map(str, args)]
        return subprocess.run(command, text=True, timeout=PATIENCE, **options)

    def run(self):
        """Runs it to its end."""
        return self.crun("run", "--bundle", self.bundle, self.name, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def start(self):
        """Starts it beside the test."""
        self.log = open(self.bundle / "log", "w+", encoding="utf-8")
        command = ["crun", "--root", str(self.state), "--cgroup-manager=disabled", "run", "--bundle", str(self.bundle), self.name]
        self.running = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        until(f"the container of {' '.join(self.process['args'])} runs", lambda: self.pid() or self.running.poll() is not None)
        return self

    def pid(self):
        """Returns the number of its first process, seen from outside."""
        state = self.crun("state", self.name, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        return json.loads(state)["pid"] if state else 0

    def exec(self, *command):
        """Runs one more program in it, as a probe does, and returns its exit code."""
        process = dict(self.process, args=list(command))
        (self.bundle / "exec.json").write_text(json.dumps(process))
        return self.crun("exec", "--process", self.bundle / "exec.json", self.name, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def stop(self):
        """Sends it SIGTERM, and returns its exit code and how long it took."""
        begun = time.monotonic()
        self.crun("kill", self.name, "TERM")
        code = self.running.wait(PATIENCE)
        return code, time.monotonic() - begun

    def said(self):
        return (self.bundle / "log").read_text()

    def remove(self):
        self.crun("delete", "--force", self.name, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if self.running:
            self.running.wait(PATIENCE)
            self.log.close()


@contextlib.contextmanager
def workspace():
    """Makes a folder for a test that every user may enter, and removes it."""
    with tempfile.TemporaryDirectory(prefix="secretdir-release-") as folder:
        os.chmod(folder, 0o755)
        try:
            yield pathlib.Path(folder)
        finally:
            mounts = [line.split()[1] for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()]
            for mount in reversed([mount for mount in mounts if mount.startswith(folder + "/")]):
                run("umount", "--lazy", mount)


@contextlib.contextmanager
def started(container):
    """Runs a container for a while."""
    try:
        yield container.start()
    finally:
        container.remove()
