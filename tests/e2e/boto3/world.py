"""Random secrets and parameters in moto, random questions about them, and what boto3 answers."""

from __future__ import annotations

import dataclasses
import json
import string
import uuid

import botocore.exceptions

ACCOUNT = "123456789012"
OTHER_ACCOUNT = "210987654321"
REFERENCE = "/aws/reference/secretsmanager/"

# What AWS lets a name have; an exclamation mark stands in those that its own services give.
SECRET_CHARACTERS = string.ascii_letters + string.digits + "/_+=.@-!"
PARAMETER_CHARACTERS = string.ascii_letters + string.digits + "_.-"
TEXTS = [
    "\n", "\r\n", "\r", "\0", "\t", "\x1b", "\x7f", " ", '"', "\\", "'", "{{", "$(id)", "\u00e9", "e\u0301",
    "\u2028", "\ufeff", "\U0001f511", "\u202e", "a", "Z", "0", "=", "%41", "&amp;", "null", "\\u0041",
]
STAGES = ["live", "live-1", "a b", "q\"u\\o'te", "\u00e9t\u00e9", "s" * 256, "AWSPENDING"]
LABELS = ["live", "Live", "a.b-c_d", "l" * 100, "_1"]
LARGEST_SECRET = 65_536
LARGEST_PARAMETER = 4_096

# How both services say that there is nothing. A secret that is marked for deletion is an invalid request.
MISSING = {"ResourceNotFoundException", "InvalidRequestException", "ParameterNotFound", "ParameterVersionNotFound"}


@dataclasses.dataclass(frozen=True)
class Question:
    source: str
    secret: str
    version: str | None = None
    field: str | None = None


@dataclasses.dataclass(frozen=True)
class Answer:
    """What boto3 says. Without a value there is nothing (`missing`), or something else than was asked for.

    `is_late` if it comes to light only in the value, which the command looks into when it has all of them.
    """

    value: bytes | None = None
    revision: str | None = None
    missing: bool = False
    is_late: bool = False


class World:
    """What is in moto in one round."""

    def __init__(self, rng, secrets, parameters):
        self.rng = rng
        self.secrets = secrets
        self.parameters = parameters
        self.arns = {}
        self.ids = {}
        self.references = []
        self.hierarchy = []
        # One secret without a value is enough for moto to fail a batch, so that many rounds have none.
        self.share_without_value = rng.choice([0, 0, 0.1])

    def fill(self, size):
        for _ in range(self.rng.randint(1, size)):
            self.add_secret()
        for _ in range(self.rng.randint(1, size)):
            self.add_parameter()

    def remove(self):
        for name in self.arns:
            self.secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        for name in self.hierarchy:
            self.parameters.delete_parameter(Name=name)

    def chance(self, share):
        return self.rng.random() < share

    def word(self, characters, most):
        return "".join(self.rng.choices(characters, k=self.rng.randint(1, most)))

    # Secrets

    def secret_name(self):
        """Makes a name: any, or one that is much like one that is there."""
        style = self.rng.randrange(10)
        if style < 3 or not self.arns:
            return self.word(SECRET_CHARACTERS, 12)
        if style == 3:
            return self.word(SECRET_CHARACTERS, 512)
        if style == 4:
            return self.rng.choice(["app/", "app/db/", "/app/", "app-"]) + self.word("abc/-", 4)
        name = self.rng.choice(sorted(self.arns))
        # The third is the very end of the other one's ARN.
        likes = [name + self.word(SECRET_CHARACTERS, 3), name + "-" + self.word(string.ascii_letters, 1) * 6]
        likes += [self.arns[name].rpartition(":")[2], name.swapcase(), "/" + name, name + "/a", name[:-1]]
        return self.rng.choice(likes)[:512] or "x"

    def add_secret(self):
        name = self.secret_name()
        if name in self.arns:
            return
        self.ids[name] = []
        value, is_text = ({}, False) if self.chance(self.share_without_value) else self.secret_value()
        made = self.secrets.create_secret(Name=name, ClientRequestToken=self.version_id(name, value), **value)
        self.arns[name] = made["ARN"]
        for _ in range(self.rng.choice([0, 0, 0, 1, 2, 3]) if value else 0):
            value, is_this_text = self.secret_value()
            is_text = is_text and is_this_text
            stages = self.rng.choice([["AWSCURRENT"], ["AWSCURRENT", "live"], [self.rng.choice(STAGES)]])
            token = self.version_id(name, value)
            self.secrets.put_secret_value(SecretId=name, ClientRequestToken=token, VersionStages=stages, **value)
        if self.ids[name] and self.chance(0.2):
            self.move_stage(name)
        # moto fails with a 500 for the reference to a secret that has no value, or a binary one in any version.
        if is_text:
            self.references.append(name)
        if self.chance(0.1):
            self.secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7)

    def version_id(self, name, value):
        made = str(uuid.UUID(int=self.rng.getrandbits(128)))
        self.ids[name] += [made] if value else []
        return made

    def move_stage(self, name):
        """Moves a label to another version. Never AWSCURRENT: moto would still give the old version as current."""
        stage = self.rng.choice(STAGES[:-1])
        stages = self.secrets.describe_secret(SecretId=name).get("VersionIdsToStages", {})
        holders = [version for version, labels in stages.items() if stage in labels]
        target = self.rng.choice(self.ids[name])
        if target not in holders and len(holders) < 2:
            source = {"RemoveFromVersionId": holders[0]} if holders else {}
            self.secrets.update_secret_version_stage(
                SecretId=name, VersionStage=stage, MoveToVersionId=target, **source
            )

    def secret_value(self):
        """Returns the members of a call that make a value, and whether it is a text."""
        size = self.rng.choice([1, 2, 20, 20, 200, 200, self.rng.randint(1, LARGEST_SECRET), LARGEST_SECRET])
        kind = self.rng.randrange(3)
        if kind == 0:
            return {"SecretBinary": self.rng.randbytes(size)}, False
        text = self.text(size) if kind == 1 else self.json_value()
        return {"SecretString": text}, True

    def text(self, size):
        """Makes a text of at most so many bytes in UTF-8, and at least one."""
        text = "".join(self.rng.choices(TEXTS, k=min(size, 4_000)))
        text = (text * (size // len(text.encode()) + 1)).encode()[:size].decode(errors="ignore")
        return text or "x"

    def json_value(self):
        members = {"user": self.text(8), "p\u00e4ss w\u00f6rd": self.text(30), "port": self.rng.randint(-5, 65_535)}
        members |= {"on": self.chance(0.5), "a.b": {"c": ["d", 1]}, "": "empty"}
        kept = self.rng.sample(sorted(members), self.rng.randint(1, len(members)))
        indent = self.rng.choice([None, 2])
        return json.dumps({key: members[key] for key in kept}, ensure_ascii=self.chance(0.5), indent=indent)

    def ask_secret(self):
        rng = self.rng
        name = rng.choice(sorted(self.arns)) if self.arns and self.chance(0.85) else self.secret_name()
        arn = self.arns.get(name, f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:{name}-QqQqQq")
        partial = arn[:-7]
        foreign = rng.choice([arn, partial]).replace(ACCOUNT, OTHER_ACCOUNT)
        secret = rng.choice([name] * 4 + [arn] * 3 + [partial] * 2 + [foreign, (name + "x")[:512], name[:-1] or "x"])
        version = None
        if self.chance(0.45):
            ids = self.ids.get(name) or ["0" * 32]
            version = rng.choice(["AWSCURRENT", "AWSPREVIOUS", rng.choice(STAGES), "id:" + rng.choice(ids)])
        if self.chance(0.05):
            version = rng.choice(["none", "awscurrent", "id:" + "f" * 36, "id:" + "-" * 64])
        field = rng.choice(["user", "p\u00e4ss w\u00f6rd", "port", "on", "a.b"]) if self.chance(0.2) else None
        return Question("secrets", secret, version, field)

    # Parameters

    def add_parameter(self):
        name = self.parameter_name()
        # moto takes /name and name for one.
        alike = name.removeprefix("/") if name.count("/") == 1 else "/" + name
        if name in self.hierarchy or alike in self.hierarchy:
            return
        kind = self.rng.choice(["String", "StringList", "SecureString"])
        versions = self.rng.choice([1, 1, 1, 2, 5])
        for number in range(versions):
            size = self.rng.choice([1, 30, 300, LARGEST_PARAMETER])
            value = "a,,b, c" if kind == "StringList" and self.chance(0.5) else self.text(size)
            self.parameters.put_parameter(Name=name, Value=value, Type=kind, Overwrite=number > 0)
        self.hierarchy.append(name)
        for _ in range(self.rng.choice([0, 0, 1, 3])):
            version = self.rng.randint(1, versions)
            labels = [self.rng.choice(LABELS)]
            self.parameters.label_parameter_version(Name=name, ParameterVersion=version, Labels=labels)

    def parameter_name(self):
        style = self.rng.randrange(6)
        level = self.word(PARAMETER_CHARACTERS, 8)
        if style == 0:
            name = level
        elif style == 1 or not self.hierarchy:
            name = "".join("/" + self.word(PARAMETER_CHARACTERS, 3) for _ in range(self.rng.choice([1, 2, 3, 15])))
        elif style == 2:
            name = self.rng.choice(["/app/", "/app/db/", "/App/", "/app-"]) + level
        else:
            like = self.rng.choice(self.hierarchy)
            name = self.rng.choice([like + level, like.swapcase(), "/" + like.lstrip("/") + "/" + level, like[:-1]])
        is_reserved = name.lower().lstrip("/").startswith(("aws", "ssm"))
        is_whole = name.strip("/") and not name.endswith("/") and name.count("/") <= 15
        return name if is_whole and not is_reserved else f"/x/{level}"

    def ask_parameter(self):
        rng = self.rng
        if self.references and self.chance(0.25):
            return self.ask_reference()
        name = rng.choice(self.hierarchy) if self.chance(0.85) else self.parameter_name()
        arn = f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/{name.removeprefix('/')}"
        other = "/" + name if "/" not in name else name + "x"
        secret = rng.choice([name] * 5 + [arn] * 3 + [other, arn.replace(ACCOUNT, OTHER_ACCOUNT)])
        version = rng.choice([None, None, "1", str(rng.randint(2, 6)), rng.choice(LABELS), "999999"])
        return Question("parameters", secret, version)

    def ask_reference(self):
        name = self.rng.choice(self.references)
        version = self.rng.choice([None, None, "AWSCURRENT", "AWSPREVIOUS", "none", self.rng.choice(self.ids[name])])
        return Question("parameters", REFERENCE + name + self.rng.choice(["", "", "", "x"]), version)

    # Answers

    def answer(self, question):
        """Asks boto3."""
        ask = self.of_secret if question.source == "secrets" else self.of_parameter
        try:
            value, revision, is_it = ask(question)
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in MISSING:
                raise
            return Answer(missing=True)
        if not is_it:
            return Answer()
        return Answer(value, revision) if question.field is None else of_field(value, revision, question.field)

    def of_secret(self, question):
        which = {}
        if question.version is not None:
            is_id = question.version.startswith("id:")
            which = {"VersionId": question.version[3:]} if is_id else {"VersionStage": question.version}
        found = self.secrets.get_secret_value(SecretId=question.secret, **which)
        value = found["SecretString"].encode() if "SecretString" in found else found["SecretBinary"]
        # moto finds the name in an ARN of any account and region. AWS has nothing there, and the command takes no
        # answer that is about another ARN than was asked for.
        is_arn = question.secret.startswith("arn:")
        is_it = found["ARN"] in (question.secret, question.secret + found["ARN"][-7:]) if is_arn else True
        return value, found["VersionId"], is_it

    def of_parameter(self, question):
        selector = question.secret if question.version is None else f"{question.secret}:{question.version}"
        found = self.parameters.get_parameter(Name=selector, WithDecryption=True)["Parameter"]
        # moto takes /name and name for one. To AWS they are two, and the command takes no answer about the other one.
        is_name = not question.secret.startswith(("arn:", REFERENCE))
        is_it = found["Name"] == question.secret if is_name else True
        return found["Value"].encode(), str(found["Version"]), is_it

    def listed(self, source):
        """Returns all names that can be listed."""
        if source == "secrets":
            pages = self.secrets.get_paginator("list_secrets").paginate()
            return sorted(entry["Name"] for page in pages for entry in page["SecretList"])
        pages = self.parameters.get_paginator("get_parameters_by_path").paginate(Path="/", Recursive=True)
        return sorted(entry["Name"] for page in pages for entry in page["Parameters"])


def of_field(value, revision, field):
    """Picks a member of a JSON secret, as the documentation of the command says. What is no JSON object is an error."""
    try:
        members = json.loads(value)
    except ValueError:
        members = None
    if not isinstance(members, dict) or field not in members:
        return Answer(missing=isinstance(members, dict), is_late=True)
    member = members[field]
    text = member if isinstance(member, str) else json.dumps(member, separators=(",", ":"))
    return Answer(text.encode(), revision)
