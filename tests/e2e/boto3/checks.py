"""Checks requests as AWS would: against botocore's model of the service, and against botocore's own signature."""

import dataclasses
import json
import re

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.session
import botocore.validate

REGION = "eu-west-1"

SESSION = botocore.session.Session()
MODELS = [SESSION.get_service_model(service) for service in ("secretsmanager", "ssm")]
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^, ]+), SignedHeaders=([^, ]+), Signature=([0-9a-f]{64})"
)


@dataclasses.dataclass(frozen=True)
class Request:
    """A request as it came. The headers are pairs, with names in lower case."""

    method: str
    path: str
    headers: tuple
    body: bytes

    def header(self, name):
        """Returns the value of a header; nothing if it is missing, or there twice."""
        values = [value for key, value in self.headers if key == name]
        return values[0] if len(values) == 1 else ""

    def with_header(self, name, value):
        headers = [(key, value if key == name else old) for key, old in self.headers]
        return dataclasses.replace(self, headers=tuple(headers))

    def operation(self):
        """Returns the name of the operation that it says."""
        return self.header("x-amz-target").rpartition(".")[2]


def model_of(request):
    """Returns the model of the service that the request is for."""
    prefix = request.header("x-amz-target").rpartition(".")[0]
    return next((model for model in MODELS if model.metadata["targetPrefix"] == prefix), None)


def complaints(request, credentials):
    """Returns what AWS would not take of a request: a list of texts."""
    if (request.method, request.path) != ("POST", "/"):
        return [f"{request.method} {request.path} instead of POST /"]
    service = model_of(request)
    if service is None:
        return [f"X-Amz-Target {request.header('x-amz-target')!r} names no service"]
    found = []
    version = f"application/x-amz-json-{service.metadata['jsonVersion']}"
    if request.header("content-type") != version:
        found.append(f"Content-Type {request.header('content-type')!r} instead of {version!r}")
    if request.operation() in service.operation_names:
        found += of_body(request.body, service.operation_model(request.operation()).input_shape)
    else:
        found.append(f"X-Amz-Target {request.header('x-amz-target')!r} names no operation")
    return found + of_signature(request, service, credentials)


def of_body(body, shape):
    """Returns what is wrong with a body that has to have this shape."""
    try:
        members = json.loads(body.decode(), object_pairs_hook=once)
    except ValueError as error:
        return [f"the body is no JSON: {error}"]
    report = botocore.validate.ParamValidator().validate(members, shape)
    if report.has_errors():
        return [f"the body does not fit {shape.name}: {report.generate_report()}"]
    return list(beyond(members, shape, shape.name))


def once(pairs):
    """Makes a map of the members of an object, each of which may be there once."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member is there twice")
    return members


def beyond(value, shape, place):
    """Yields what the validator of botocore leaves to the service: maxima, and names of a fixed list."""
    most = shape.metadata.get("max")
    size = len(value) if shape.type_name in ("string", "list", "map") else value
    if most is not None and shape.type_name != "boolean" and size > most:
        yield f"{place} has {size}, at most {most} are allowed"
    if shape.metadata.get("enum") and value not in shape.metadata["enum"]:
        yield f"{place} has {value!r}, which is none of {shape.metadata['enum']}"
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from beyond(member, shape.members[name], f"{place}.{name}")
    if shape.type_name == "list":
        for member in value:
            yield from beyond(member, shape.member, f"{place}[]")


def of_signature(request, service, credentials):
    """Returns what is wrong with the signature. What is signed is known, so what it has to be is known, too."""
    match = AUTHORIZATION.fullmatch(request.header("authorization"))
    if not match:
        return ["signature: the header Authorization is not one of Signature Version 4"]
    scope, names, signature = match.groups()
    signed = names.split(";")
    must = {"host", "content-type", *(name for name, _ in request.headers if name.startswith("x-amz-"))}
    if not must <= set(signed) or signed != sorted(set(signed)):
        return [f"signature: {names} is signed, and not {sorted(must)} at least, each once, in order"]
    missing = [name for name in signed if not request.header(name)]
    if missing:
        return [f"signature: {missing} is signed, and not there once"]
    if not re.fullmatch(r"\d{8}T\d{6}Z", request.header("x-amz-date")):
        return [f"signature: X-Amz-Date is {request.header('x-amz-date')!r}"]
    expected_scope, expected = sign(request, service, signed, credentials)
    if scope != expected_scope:
        return [f"signature: the scope is {scope}, not {expected_scope}"]
    return [] if signature == expected else ["signature: it is not that of botocore for this request"]


def sign(request, service, signed, credentials, region=REGION):
    """Returns the scope and the signature that botocore computes from these headers."""
    auth = botocore.auth.SigV4Auth(credentials, service.signing_name, region)
    headers = {name: request.header(name) for name in signed}
    # The body counts, not what a header says about it.
    headers.pop("x-amz-content-sha256", None)
    url = f"http://{request.header('host')}{request.path}"
    ours = botocore.awsrequest.AWSRequest(request.method, url, headers, request.body)
    ours.context["timestamp"] = request.header("x-amz-date")
    canonical = auth.canonical_request(ours)
    return auth.scope(ours), auth.signature(auth.string_to_sign(ours, canonical), ours)


def resigned(request, credentials, signed=None, region=REGION, service=None):
    """Returns the request with a signature that fits it, so that a test can spoil one thing alone."""
    service = service or model_of(request) or MODELS[0]
    signed = signed or AUTHORIZATION.fullmatch(request.header("authorization")).group(2).split(";")
    scope, signature = sign(request, service, signed, credentials, region)
    said = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={';'.join(signed)}, Signature={signature}"
    return request.with_header("authorization", said)
