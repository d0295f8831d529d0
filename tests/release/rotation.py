"""The store and the clients of tests/release/rotation.

    rotation.py prepare FOLDER              makes the users and the secret; FOLDER/host is the credentials file of the host
    rotation.py rotate FOLDER ROTATIONS     rotates, and waits each time until nginx serves the new certificate
"""

import datetime
import hashlib
import json
import pathlib
import socket
import ssl
import sys
import threading
import time

import boto3
import botocore
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ENDPOINT = "http://127.0.0.1:5000"
REGION = "eu-west-1"
# Long enough for any machine: only something that hangs takes longer.
PATIENCE = 120
CLIENTS = 2


def client(service, key=("none", "none")):
    return boto3.client(service, endpoint_url=ENDPOINT, region_name=REGION, aws_access_key_id=key[0], aws_secret_access_key=key[1])


def wait_for_store():
    for _ in range(PATIENCE * 10):
        try:
            socket.create_connection(("127.0.0.1", 5000)).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("error: moto does not listen")


def user(name, actions):
    """Makes a user with three calls, and returns the key."""
    iam = client("iam")
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def pair(number):
    """Returns a secret with a new certificate and its key, and the certificate's digest."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"rotation {number}")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = {
        "cert": certificate.public_bytes(pem).decode(),
        "key": key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode(),
    }
    return json.dumps(secret), hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).digest()


def prepare(folder):
    wait_for_store()
    operator = user("operator", ["secretsmanager:*"])
    host = user("host", ["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"])
    secret, digest = pair(0)
    client("secretsmanager", operator).create_secret(Name="shop/tls", SecretString=secret)
    try:
        client("secretsmanager", ("AKIAWRONG", "wrong")).get_secret_value(SecretId="shop/tls")
        sys.exit("error: the store takes every key")
    except botocore.exceptions.ClientError:
        pass
    (folder / "operator").write_text(json.dumps(operator))
    (folder / "digest").write_bytes(digest)
    (folder / "host").write_text(f"[default]\naws_access_key_id = {host[0]}\naws_secret_access_key = {host[1]}\n")


class Clients:
    """Makes connections all the time, and keeps count of the certificates."""

    def __init__(self):
        self.handshakes, self.failures, self.seen, self.ended = 0, [], set(), False
        self.changed = threading.Condition()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(CLIENTS)]

    def handshake(self):
        context = ssl.create_default_context()
        # The certificate signs itself. That it belongs to the key is checked all the same.
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", 443), timeout=PATIENCE) as plain, context.wrap_socket(plain) as secure:
            return hashlib.sha256(secure.getpeercert(binary_form=True)).digest()

    def run(self):
        while not self.ended:
            try:
                digest = self.handshake()
            except OSError as error:
                digest = None
                self.failures.append(str(error))
            with self.changed:
                self.handshakes += 1
                if digest:
                    self.seen.add(digest)
                self.changed.notify_all()
            time.sleep(0.01)

    def wait_for(self, digest):
        with self.changed:
            return self.changed.wait_for(lambda: digest in self.seen, PATIENCE)

    def end(self):
        self.ended = True
        for thread in self.threads:
            thread.join()


def rotate(folder, rotations):
    store = client("secretsmanager", tuple(json.loads((folder / "operator").read_text())))
    clients, known, slowest = Clients(), {(folder / "digest").read_bytes()}, 0
    for thread in clients.threads:
        thread.start()
    for number in range(1, rotations + 1):
        secret, digest = pair(number)
        known.add(digest)
        start = time.monotonic()
        store.put_secret_value(SecretId="shop/tls", SecretString=secret)
        if not clients.wait_for(digest):
            sys.exit(f"error: nginx does not serve rotation {number}")
        slowest = max(slowest, time.monotonic() - start)
    clients.end()
    if clients.failures:
        sys.exit(f"error: {len(clients.failures)} of {clients.handshakes} handshakes failed: {clients.failures[0]}")
    if clients.seen - known:
        sys.exit("error: nginx served a certificate that is not from the store")
    print(f"{rotations} rotations, {clients.handshakes} handshakes, none failed; the slowest rotation took {slowest:.1f} s")


if __name__ == "__main__":
    command, folder, *rest = sys.argv[1:]
    if command == "prepare":
        prepare(pathlib.Path(folder))
    else:
        rotate(pathlib.Path(folder), int(rest[0]))
