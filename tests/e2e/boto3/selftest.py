"""Proves that the checks find what they are for: each thing that is spoiled, alone, must be noticed.

Real requests of the command are spoiled for checks.py, each in one respect and signed again, so that no other check
notices it. In whole rounds, moto's answers or what the checks see of requests are spoiled on their way, and the round
must fail.
"""

import collections
import dataclasses
import json

import botocore.credentials

import checks
import differential

SEED = "self-test"

# Enough for each operation to be seen, and for everything that can be spoiled.
MOST_ROUNDS = 12
SIZE = 6

OPERATIONS = {"BatchGetSecretValue", "GetSecretValue", "ListSecrets", "GetParameters", "GetParametersByPath"}


class Spoilt(Exception):
    """A check that has not noticed what it is for."""


def run(command, clients, proxy):
    samples = genuine_requests(command, clients, proxy)
    count = 0
    for request in samples.values():
        expect(request, proxy.credentials, None)
        for text, spoiled in spoiled_requests(request, proxy.credentials):
            expect(spoiled, proxy.credentials, text)
            count += 1
    for text, ids in [("at most 20", 21), ("at most 10", 11)]:
        operation, member = ("BatchGetSecretValue", "SecretIdList") if ids > 20 else ("GetParameters", "Names")
        for number, told in [(ids, text), (ids - 1, None)]:
            body = {member: [f"s{number}" for number in range(number)]}
            request = samples[operation]
            expect(checks.resigned(with_body(request, body), proxy.credentials), proxy.credentials, told)
            count += 1
    for name, text in SPOILED_ROUNDS.items():
        expect_failure(command, clients, proxy, name, text)
        count += 1
    print(f"self-test: {count} faults noticed, in {len(samples)} operations and {len(SPOILED_ROUNDS)} kinds of answers")
    return 0


def genuine_requests(command, clients, proxy):
    """Returns a request of the command for each operation."""
    samples = {}
    take = proxy.take

    def keep():
        requests, complaints = take()
        samples.update((request.operation(), request) for request in requests)
        return requests, complaints

    proxy.take = keep
    for number in range(MOST_ROUNDS):
        differential.play(command, clients, proxy, SEED, number, differential.Tally(), SIZE)
        if OPERATIONS <= samples.keys():
            break
    else:
        raise Spoilt(f"the command has made no calls of {OPERATIONS - samples.keys()} in {MOST_ROUNDS} rounds")
    proxy.take = take
    return samples


def expect(request, credentials, text):
    """Checks one request. There must be one complaint with this text, or none."""
    found = checks.complaints(request, credentials)
    is_right = not found if text is None else len(found) == 1 and text in found[0]
    if not is_right:
        raise Spoilt(f"{request.operation()}: the complaints are {found}, not one of {text!r}: {request}")


def with_body(request, body):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return dataclasses.replace(request, body=text)


def spoiled_requests(request, credentials):
    """Yields requests that AWS would not take, and what has to be said of each."""

    def signed(changed, **how):
        return checks.resigned(changed, credentials, **how)

    body = json.loads(request.body)
    target = request.header("x-amz-target")
    for text, changed in [
        ("Unknown parameter", with_body(request, body | {"Unknown": "x"})),
        ("Invalid type", with_body(request, body | dict.fromkeys(list(body)[:1], {}))),
        ("a member is there twice", with_body(request, b'{"a":1,' + b'"a":1}')),
        ("the body is no JSON", with_body(request, request.body + b"}")),
        ("the body is no JSON", with_body(request, b'{"a":"\xff"}')),
        ("names no operation", request.with_header("x-amz-target", target + "s")),
        ("names no service", request.with_header("x-amz-target", target.lower().replace(".", "x."))),
        ("Content-Type", request.with_header("content-type", "application/x-amz-json-1.0")),
        ("instead of POST /", dataclasses.replace(request, method="PUT")),
        ("instead of POST /", dataclasses.replace(request, path="/x")),
    ]:
        yield text, signed(changed)
    signature = request.header("authorization")
    names = checks.AUTHORIZATION.fullmatch(signature).group(2).split(";")
    other = next(model for model in checks.MODELS if model is not checks.model_of(request))
    wrong = botocore.credentials.Credentials(credentials.access_key, credentials.secret_key + "x")
    stranger = botocore.credentials.Credentials("AKIAOTHER", credentials.secret_key)
    flipped = signature[:-1] + ("1" if signature.endswith("0") else "0")
    double = dataclasses.replace(request, headers=(*request.headers, ("host", "elsewhere")))
    for text, changed in [
        ("not that of botocore", request.with_header("authorization", flipped)),
        ("not that of botocore", with_body(request, request.body + b" ")),
        ("not that of botocore", request.with_header("host", "elsewhere")),
        ("not that of botocore", checks.resigned(request, wrong)),
        ("the scope is", checks.resigned(request, stranger)),
        ("the scope is", signed(request, region="eu-west-2")),
        ("the scope is", signed(request, service=other)),
        ("the scope is", request.with_header("x-amz-date", "19990101T000000Z")),
        ("X-Amz-Date is", request.with_header("x-amz-date", "today")),
        ("is not one of Signature", request.with_header("authorization", signature.replace("HMAC", "HMAK"))),
        ("in order", signed(request, signed=names[::-1])),
        ("in order", signed(request, signed=[name for name in names if name != "x-amz-target"])),
        ("in order", signed(request, signed=[name for name in names if name != "host"])),
        ("not there once", double),
    ]:
        yield text, changed


def expect_failure(command, clients, proxy, name, text):
    """Plays rounds with one thing spoiled, until one fails. It must fail with this text.

    A round may have nothing to spoil, or only what is asked for in a run that fails anyway, and publishes nothing.
    """
    for number in range(MOST_ROUNDS):
        spoiler = Spoiler(name)
        proxy.spoil_answer, proxy.spoil_request = spoiler.answer, spoiler.request
        try:
            differential.play(command, clients, proxy, SEED, number, differential.Tally(), SIZE)
            told = None
        except differential.Difference as difference:
            told = str(difference)
        finally:
            proxy.spoil_answer, proxy.spoil_request = None, lambda request: request
        if told is not None and not (spoiler.done and any(part in told for part in text.split("|"))):
            raise Spoilt(f"{name}: spoiled {spoiler.done}, round {number} says {told!r}, not {text!r}")
        if told is not None:
            return
    raise Spoilt(f"{name}: nobody noticed in {MOST_ROUNDS} rounds")


# What is spoiled, and what a round says of it: one of these texts.
SPOILED_ROUNDS = {
    "a byte of a secret": "boto3 gives",
    "a byte of a parameter": "boto3 gives",
    "two secrets swapped": "boto3 gives",
    "the version of a secret": "the version is",
    "the version of a parameter": "the version is",
    "a secret not listed": "boto3 gives|there is nothing to import",
    "a parameter not listed": "boto3 gives|there is nothing to import",
    "a secret made up": "no error names it|boto3 gives|is not JSON",
    "a parameter made up": "no error names it|boto3 gives",
    "a secret lost": "boto3 gives|exit code 3|which is none of",
    "a request": "requests that AWS would not take",
}


class Spoiler:
    """Changes what it is named after, wherever it can. Whatever is said of a value still fits what was asked for."""

    def __init__(self, name):
        self.name = name
        self.done = collections.Counter()

    def request(self, request):
        if self.name != "a request":
            return request
        self.done[request.operation()] += 1
        return with_body(request, request.body.replace(b"{", b'{"Unknown":1,', 1))

    def answer(self, request, status, answer):
        operation = request.operation()
        asked = json.loads(request.body)
        before = json.dumps([status, answer])
        secrets = answer.get("SecretValues", [answer] if "SecretString" in answer else [])
        parameters = answer.get("Parameters", []) if operation == "GetParameters" else []
        if self.name == "a byte of a secret":
            for secret in secrets:
                if "SecretString" in secret:
                    secret["SecretString"] += "x"
        elif self.name == "a byte of a parameter":
            for parameter in parameters:
                parameter["Value"] = "x" + parameter["Value"][1:] + "y"
        elif self.name == "two secrets swapped" and len(secrets) > 1:
            keys = ("SecretString", "SecretBinary")
            values = [secret.pop(key) for secret in secrets for key in keys if key in secret]
            for secret, number in zip(secrets, range(len(values))):
                secret["SecretString"] = str(values[number - 1])
        elif self.name == "the version of a secret":
            for secret in secrets if "VersionId" not in asked else []:
                secret["VersionId"] = "0" * 36
        elif self.name == "the version of a parameter":
            for parameter in parameters if ":" not in json.dumps(asked.get("Names", [])) else []:
                parameter["Version"] += 1
        elif self.name == "a secret not listed" and operation == "ListSecrets":
            answer["SecretList"] = answer["SecretList"][1:]
        elif self.name == "a parameter not listed" and operation == "GetParametersByPath":
            answer["Parameters"] = answer["Parameters"][:-1]
        elif self.name == "a secret made up" and operation == "GetSecretValue" and status == 404:
            status, answer = 200, made_up(asked)
        elif self.name == "a parameter made up" and operation == "GetParameters" and status == 200:
            lost = [name for name in answer["InvalidParameters"] if ":" not in name]
            answer["InvalidParameters"] = [name for name in answer["InvalidParameters"] if ":" in name]
            answer["Parameters"] += [{"Name": name, "Value": "made up", "Version": 1} for name in lost]
        elif self.name == "a secret lost" and operation == "BatchGetSecretValue" and secrets:
            lost = answer["SecretValues"].pop()
            answer["Errors"].append({"SecretId": lost["Name"], "ErrorCode": "ResourceNotFoundException"})
        self.done[operation] += json.dumps([status, answer]) != before
        self.done += collections.Counter()
        return status, answer


def made_up(asked):
    """Returns a value for a secret that is not there."""
    name = asked["SecretId"].rpartition(":")[2]
    value = {"Name": name, "SecretString": "made up", "VersionId": asked.get("VersionId", "0" * 36)}
    return value | {"VersionStages": [asked.get("VersionStage", "AWSCURRENT")]}
