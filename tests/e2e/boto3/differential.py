"""Asks the command and boto3 the same random questions, on a real moto server, and compares every byte.

    differential.py COMMAND ENDPOINT --seed 1 --rounds 20
    differential.py COMMAND ENDPOINT --seed 1 --first-round 7     repeats round 7 of seed 1 alone
    differential.py COMMAND ENDPOINT --self-test                  proves that each check finds what it is for

A round fills moto (world.py), thinks of questions (plans.py), and runs the command on configurations that ask for what
boto3 finds, and for what it does not. Between the command and moto stands a proxy (proxy.py). It checks each request
(checks.py). The keys of a user who may do everything are in the environment. Nobody else may use the server meanwhile.
The seed decides everything: names, values, questions and version ids. It also seeds moto, which makes the ends of ARNs.

Where moto is not like AWS, and what the test makes of it:

- A batch fails as a whole for one secret that has no value. The command then asks one by one.
- GetParameters fails as a whole, with ParameterNotFound, for one reference to a secret that is not there. The command
  then asks one by one, too.
- A reference has the name of its secret, and a wrong ARN: the proxy puts that right.
- A reference to a secret that has no value, or a binary one, is a fault of moto: nobody asks for it.
- An ARN of another account is answered, if there is a secret of this name: the command must refuse the answer.
- /name and name are one parameter: the command must refuse the answer about the other one.
- After AWSCURRENT was moved by UpdateSecretVersionStage, the old version is given: nobody moves it.
"""

import sys

sys.dont_write_bytecode = True

import argparse  # noqa: E402
import collections  # noqa: E402
import hashlib  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import pathlib  # noqa: E402
import random  # noqa: E402
import re  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402
import urllib.request  # noqa: E402

import boto3  # noqa: E402
import botocore.config  # noqa: E402
import botocore.credentials  # noqa: E402

from checks import REGION  # noqa: E402
from plans import Plan  # noqa: E402
from proxy import Proxy  # noqa: E402
from world import World  # noqa: E402

# A bound for a command that hangs. Nothing is measured.
LONGEST_RUN = 300


# The most secrets, and the most parameters, of a round: more than a batch has.
SIZE = 30


class Difference(Exception):
    """What the command and boto3 do not agree on, or AWS would not take."""


class Site:
    """A folder with a configuration, and the command run on it."""

    def __init__(self, command, folder):
        self.command = command
        self.folder = pathlib.Path(folder)

    def run(self, *arguments):
        """Runs the command. Returns its exit code, its JSON, and all that it printed."""
        kept = {name: value for name, value in os.environ.items() if name.startswith("AWS_") or name == "PATH"}
        ran = subprocess.run(
            [self.command, *arguments, "--json"],
            cwd=self.folder,
            env=kept | {"HOME": str(self.folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LONGEST_RUN,
            check=False,
        )
        try:
            answer = json.loads(ran.stdout)
        except ValueError:
            raise Difference(f"no JSON, exit code {ran.returncode}: {ran.stdout} {ran.stderr}") from None
        # Whoever started this holds them to the schema.
        if answers := os.environ.get("SECRETDIR_ANSWERS"):
            with open(answers, "a", encoding="utf-8") as lines:
                print(json.dumps(answer), file=lines)
        return ran.returncode, answer, ran.stdout + ran.stderr

    def published(self):
        """Returns what is published: the link's target, and the bytes of each file."""
        link = self.folder / "out/app"
        if not link.is_symlink():
            return None, {}
        files = [path for path in link.rglob("*") if not path.is_dir()]
        return os.readlink(link), {str(path.relative_to(link)): path.read_bytes() for path in files}


class Round:
    """One round: a world, and some runs."""

    def __init__(self, site, proxy, world, rng, tally):
        self.site = site
        self.proxy = proxy
        self.rng = rng
        self.tally = tally
        self.plan = Plan(world, rng)

    def play(self, size):
        self.plan.make(size)
        self.bad_run()
        self.good_run()
        self.bad_run()

    def good_run(self):
        """All that is asked for is there, or may be missing."""
        plan = self.plan
        code, outcome, printed = self.sync(plan.config(self.proxy.endpoint))
        if code != 0:
            raise Difference(f"good run: exit code {code}: {errors(outcome)}")
        _, files = self.site.published()
        for name in sorted(plan.expected.keys() | files.keys()):
            compare(f"good run: {plan.about([name])}", plan.expected.get(name), files.get(name))
        for key, names in [("left_out", plan.left_out), ("defaulted", plan.defaulted)]:
            said = sorted(missing["file_name"] for missing in outcome[key])
            if said != sorted(names):
                raise Difference(f"good run: {key}: {said} instead of {sorted(names)}")
        for name, value in plan.expected.items():
            if len(value) >= 16 and value in printed:
                raise Difference(f"good run: {plan.about([name])}the value was printed")
        self.compare_revisions()
        self.tally["questions"] += len(plan.entries)
        self.tally["listings"] += len(plan.imports)
        self.tally["listed"] += sum(len(listing.files) for listing in plan.imports)

    def compare_revisions(self):
        _, status, _ = self.site.run("status")
        for file in status["generation"]["files"]:
            revision = self.plan.revisions.get(file["name"])
            said = [secret.get("revision") for secret in file["secrets"]]
            if revision is not None and said != [revision]:
                about = self.plan.about([file["name"]])
                raise Difference(f"good run: {about}the version is {revision}, status says {said}")

    def bad_run(self):
        """Something that is asked for is not there. Each such file is named, no other one, and nothing is published."""
        before = self.site.published()
        config, must, may = self.plan.spoiled(self.proxy.endpoint)
        if not must | may:
            return
        code, outcome, _ = self.sync(config)
        found = named(outcome)
        for key, files in sorted(must.items()):
            if key not in found:
                about = self.plan.about(files)
                raise Difference(f"bad run: {about}no error names it, exit code {code}: {errors(outcome)}")
        for key, told in found.items():
            files = (must | may).get(key)
            if files is None or told and not told & set(files):
                about = self.plan.about(sorted(told))
                raise Difference(f"bad run: {about}error about {key}, which is none of {files}: {errors(outcome)}")
        if not found:
            raise Difference(f"bad run: one of {sorted(may)} must fail, exit code {code}: {errors(outcome)}")
        if code != 3:
            raise Difference(f"bad run: exit code {code}")
        if self.site.published() != before:
            raise Difference(f"bad run: what is published has changed")
        self.tally["failures"] += len(found)

    def sync(self, config):
        """Runs the command, and looks at what it asked."""
        (self.site.folder / "secretdir.toml").write_text(config)
        self.tally.digest.update(config.replace(self.proxy.endpoint, "").encode())
        self.tally["runs"] += 1
        ran = self.site.run("sync")
        requests, complaints = self.proxy.take()
        self.tally["requests"] += len(requests)
        if complaints:
            raise Difference(f"requests that AWS would not take: {complaints[0]} (and {len(complaints) - 1} more)")
        if not requests:
            raise Difference(f"the command asked nothing: exit code {ran[0]}: {errors(ran[1])}")
        return ran


class Tally(collections.Counter):
    """What was compared, and a digest of all that was asked."""

    def __init__(self):
        super().__init__()
        self.digest = hashlib.sha256()

    def __str__(self):
        return ", ".join(f"{count} {name}" for name, count in sorted(self.items()))


NAME = r"`([^`]*)`(?: \(version `([^`]*)`\))?"
SEPARATED = r"(?:, | and )"
ABOUT = re.compile(
    r"(?:files? (?P<files>`[^:]*?): )?(?:\S+\.toml:\d+:\d+: (?P<listing>import\[\d+\]): )?"
    rf"(?:secrets? (?P<secrets>{NAME}(?:{SEPARATED}{NAME})*) of source `(?P<source>[^`]*)`)?"
)


def named(outcome):
    """Returns what the errors are about, each with the files that it names.

    A secret is named with its source and version, anything else of an import by the import. Secrets that fail for one reason
    are one error, which names all of them and all of their files.
    """
    found = {}
    for error in outcome.get("errors", []):
        about = ABOUT.match(error["message"])
        files = set(error.get("file_names", []))
        if about["secrets"]:
            for secret, version in re.findall(NAME, about["secrets"]):
                found[(about["source"], secret, version)] = files
        else:
            found[(about["listing"] or error["message"],)] = files
    return found


def errors(outcome):
    return "; ".join(error["message"] for error in outcome.get("errors", [])) or "no errors"


def compare(about, expected, published):
    """Compares the bytes of a file. None is a file that is not there."""
    if expected == published:
        return
    if expected is None or published is None:
        raise Difference(f"{about}boto3 gives {said(expected)}, the command {said(published)}")
    length = min(len(expected), len(published))
    at = next((place for place in range(length) if expected[place] != published[place]), length)
    there = slice(max(at - 8, 0), at + 24)
    raise Difference(
        f"{about}boto3 gives {len(expected)} bytes, the command {len(published)}; they differ from byte {at} on:"
        f" {expected[there]!r} and {published[there]!r}"
    )


def said(value):
    return "nothing" if value is None else f"{len(value)} bytes, {value[:40]!r}"


def play(command, clients, proxy, seed, number, tally, size=SIZE):
    """Plays one round of a seed."""
    rng = random.Random(f"{seed}/{number}")
    where = f"seed {seed}, round {number} (--seed {seed} --first-round {number})"
    # The end of each ARN, and thereby what looks like one, is to be the same whenever the seed is.
    seeding = urllib.request.Request(f"{proxy.upstream}/moto-api/seed?a={rng.getrandbits(32)}", method="POST")
    urllib.request.urlopen(seeding).close()
    world = World(rng, *clients)
    try:
        world.fill(size)
        with tempfile.TemporaryDirectory(prefix="secretdir-boto3-") as folder:
            Round(Site(command, folder), proxy, world, rng, tally).play(size)
    except Difference as difference:
        raise Difference(f"{where}: {difference}") from None
    except Exception:
        print(where, file=sys.stderr)
        raise
    finally:
        world.remove()
        proxy.take()
    tally["rounds"] += 1


def main():
    parser = argparse.ArgumentParser(description="Compares the command with boto3 on a moto server.")
    parser.add_argument("command", type=os.path.abspath)
    parser.add_argument("endpoint")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--first-round", type=int, default=0)
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    credentials = botocore.credentials.Credentials(
        os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    )
    settings = botocore.config.Config(retries={"total_max_attempts": 1}, region_name=REGION)
    clients = [
        boto3.client(service, endpoint_url=arguments.endpoint, config=settings) for service in ("secretsmanager", "ssm")
    ]
    tally = Tally()
    with Proxy(arguments.endpoint, credentials) as proxy:
        if arguments.self_test:
            import selftest

            return selftest.run(arguments.command, clients, proxy)
        first = arguments.first_round
        for number in range(first, first + arguments.rounds):
            try:
                play(arguments.command, clients, proxy, arguments.seed, number, tally)
            except Difference as difference:
                return f"error: {difference}"
        calls = ", ".join(f"{name} {count}" for name, count in sorted(proxy.counts.items()))
        print(f"seed {arguments.seed}: {tally}\ncalls: {calls}\ndigest: {tally.digest.hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
