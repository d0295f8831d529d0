"""What one round asks of the command, and what has to come of it, from what boto3 says."""

import dataclasses
import json

from world import Question

SOURCES = {"secrets": "aws-secrets-manager", "parameters": "aws-parameter-store"}

# What a file name may have.
MOST_BYTES = 255
MOST_COMPONENTS = 64


@dataclasses.dataclass(frozen=True)
class Entry:
    """A line of [files]. `fallback` is what stands in for a secret that is not found."""

    name: str
    question: Question
    fallback: tuple | None = None

    def line(self):
        question = dataclasses.asdict(self.question)
        pairs = [*question.items(), *([self.fallback] if self.fallback else [])]
        inner = ", ".join(f"{key} = {toml(value)}" for key, value in pairs if value is not None)
        return f"{toml(self.name)} = {{ {inner} }}"


@dataclasses.dataclass(frozen=True)
class Import:
    """An [[import]] of a prefix."""

    source: str
    prefix: str
    strip: str
    into: str
    exclude: tuple
    allow_empty: bool
    files: dict

    def lines(self):
        pairs = [("source", self.source), ("prefix", self.prefix), ("strip-prefix", self.strip), ("into", self.into)]
        pairs += [("allow-empty", self.allow_empty), *([("exclude", list(self.exclude))] if self.exclude else [])]
        return "\n".join(["[[import]]", *(f"{key} = {toml(value)}" for key, value in pairs), ""])


class Plan:
    """The questions of a round, and boto3's answers."""

    def __init__(self, world, rng):
        self.world = world
        self.rng = rng
        self.answers = {}
        self.entries = []
        self.bad = []
        self.imports = []
        self.expected = {}
        self.revisions = {}
        self.left_out = []
        self.defaulted = []
        self.concurrency = rng.randint(1, 16)

    def answer(self, question):
        if question not in self.answers:
            self.answers[question] = self.world.answer(question)
        return self.answers[question]

    def make(self, size):
        """Thinks of questions, and asks boto3."""
        for number in range(self.rng.randint(2, 2 * size)):
            is_secret = self.rng.random() < 0.6 or not self.world.hierarchy
            self.add(f"f/{number}", self.world.ask_secret() if is_secret else self.world.ask_parameter())
        listed = {source: self.world.listed(source) for source in SOURCES}
        for _ in range(self.rng.randint(1, 3)):
            self.imports.append(self.plan_import(listed))
        for listing in self.imports:
            for file, name in listing.files.items():
                answer = self.answer(Question(listing.source, name))
                self.expected[file], self.revisions[file] = answer.value, answer.revision

    def add(self, name, question):
        answer = self.answer(question)
        kind = self.rng.choice(["optional", "default", None])
        default = self.rng.choice(["", "d", "\u00e9\r\n"])
        fallback = {"optional": ("optional", True), "default": ("default", default)}.get(kind)
        if answer.value is not None:
            self.entries.append(Entry(name, question, fallback))
            self.expected[name], self.revisions[name] = answer.value, answer.revision
        elif not answer.missing:
            # Only what is not found has a fallback.
            self.bad.append(Entry(name, question, fallback))
        elif fallback is None:
            self.bad.append(Entry(name, question))
        else:
            self.entries.append(Entry(name, question, fallback))
            (self.left_out if kind == "optional" else self.defaulted).append(name)
            if kind == "default":
                self.expected[name] = default.encode()

    def plan_import(self, listed):
        source = self.rng.choice(sorted(SOURCES))
        names = [name for name in listed[source] if source == "secrets" or name.startswith("/")]
        prefix = self.rng.choice(names) if names else "/"
        least = 0 if source == "secrets" else 1
        prefix = prefix[: self.rng.choice([least, self.rng.randint(least, len(prefix)), len(prefix)])]
        strip = self.rng.choice([prefix, prefix[: prefix.rfind("/") + 1]])
        into = f"i{len(self.imports)}"
        found = {name.removeprefix(strip): name for name in names if name.startswith(prefix)}
        good = {file: name for file, name in found.items() if is_file_name(f"{into}/{file}")}
        good = {file: name for file, name in good.items() if self.answer(Question(source, name)).value is not None}
        kept = {file: name for file, name in good.items() if not any(is_above(other, file) for other in good)}
        exclude = tuple(sorted(found.keys() - kept.keys()))
        files = {f"{into}/{file}": name for file, name in kept.items()}
        return Import(source, prefix, strip, into, exclude, not kept or self.rng.random() < 0.5, files)

    def spoiled(self, endpoint):
        """Returns a configuration that must fail, what errors must name, and what they may: keys, with their files."""
        imports = [number for number, listing in enumerate(self.imports) if listing.exclude or not listing.files]
        if imports and (not self.bad or self.rng.random() < 0.3):
            number = self.rng.choice(imports)
            listing = dataclasses.replace(self.imports[number], exclude=(), allow_empty=False)
            changed = [*self.imports[:number], listing, *self.imports[number + 1 :]]
            lost = [Question(listing.source, listing.strip + file) for file in self.imports[number].exclude]
            lost = [question for question in lost if self.answer(question).value is None]
            may = {key_of(question): self.files_of(question) for question in lost}
            return self.config(endpoint, self.entries, changed), {}, may | {(f"import[{number}]",): []}
        # What is missing hides what is wrong with values: the command reports these when all are there.
        is_late = self.rng.random() < 0.3
        bad = [entry for entry in self.bad if self.answer(entry.question).is_late == is_late]
        bad = self.rng.sample(bad, self.rng.randint(1, len(bad))) if bad else []
        lines = [*self.entries, *bad]
        self.rng.shuffle(lines)
        must = {key_of(entry.question): self.files_of(entry.question) for entry in bad}
        return self.config(endpoint, lines, self.imports), must, {}

    def files_of(self, question):
        """Returns all files that the secret of a question makes."""
        entries = [*self.entries, *self.bad]
        files = [entry.name for entry in entries if key_of(entry.question) == key_of(question)]
        return files + [f"{listing.into}/" + question.secret.removeprefix(listing.strip) for listing in self.imports]

    def config(self, endpoint, entries=None, imports=None):
        lines = ['[directory]\npath = "out/app"\ndurability = "none"\nretain = "0s"\n']
        lines.append(f"[gather]\nconcurrency = {self.concurrency}\n")
        for source, provider in SOURCES.items():
            lines.append(f'[sources.{source}]\nprovider = "{provider}"\nregion = "eu-west-1"')
            lines.append(f'endpoint-url = "{endpoint}"\n')
        lines += ["[files]", *(entry.line() for entry in (self.entries if entries is None else entries)), ""]
        lines += [listing.lines() for listing in (self.imports if imports is None else imports)]
        return "\n".join(lines)

    def about(self, names):
        """Says what was asked for these files and imports."""
        entries = {entry.name: entry for entry in [*self.entries, *self.bad]}
        told = []
        for name in sorted(names):
            if name in entries:
                answer = self.answer(entries[name].question)
                told.append(f"{entries[name].line()} (boto3: {describe(answer)})")
            else:
                listings = [listing for listing in self.imports if name.startswith(listing.into + "/")]
                told.append(f"{name} {' '.join(listing.lines() for listing in listings)}".replace("\n", " "))
        return "".join(f"{line}: " for line in told[:5])


def key_of(question):
    """Returns how an error names the secret of a question."""
    return question.source, question.secret, question.version or ""


def describe(answer):
    if answer.value is None:
        return "not found" if answer.missing else "no answer to this"
    return f"{len(answer.value)} bytes, {answer.value[:40]!r}, version {answer.revision}"


def is_file_name(name):
    """Says whether a file can have this name: README, Configuration."""
    parts = name.split("/")
    is_good = all(part not in ("", ".", "..") and len(part) <= MOST_BYTES for part in parts)
    return is_good and len(parts) <= MOST_COMPONENTS


def is_above(directory, file):
    return file.startswith(directory + "/")


def toml(value):
    """Writes a text, a list of texts or a truth. JSON is TOML here, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
