"""A reverse proxy in front of moto that checks and keeps every request of the command."""

import collections
import http.client
import http.server
import json
import threading
import urllib.parse

from checks import Request, complaints

REFERENCE = "/aws/reference/secretsmanager/"

# Of one connection only, or written anew.
HOP = {"connection", "keep-alive", "content-length", "transfer-encoding"}


class Proxy:
    """A proxy on a port of its own. A `with` block ends it."""

    def __init__(self, upstream, credentials):
        self.upstream = upstream
        self.credentials = credentials
        self.lock = threading.Lock()
        self.requests = []
        self.complaints = []
        self.counts = collections.Counter()
        # A self-test changes what the checks see, or what the command gets.
        self.spoil_request = lambda request: request
        self.spoil_answer = None
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                try:
                    proxy.serve(self)
                except ConnectionError:
                    # The command has hung up, as it may once it knows enough.
                    self.close_connection = True
                except Exception as error:
                    proxy.complaints.append(f"the proxy has a fault of its own: {error!r}")
                    self.close_connection = True

            do_GET = do_PUT = do_DELETE = do_HEAD = do_POST

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        # Ending it must not wait for connections that the command keeps.
        self.server.block_on_close = False
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def take(self):
        """Returns the requests and the complaints since the last time."""
        with self.lock:
            taken = self.requests, self.complaints
            self.requests, self.complaints = [], []
        return taken

    def serve(self, handler):
        """Checks one request, passes it on as it is, and answers."""
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        headers = tuple((name.lower(), value) for name, value in handler.headers.items())
        request = Request(handler.command, handler.path, headers, body)
        seen = self.spoil_request(request)
        found = complaints(seen, self.credentials)
        if "transfer-encoding" in dict(headers):
            found.append("the body has no length that is known before")
        with self.lock:
            self.requests.append(request)
            self.complaints += [f"{seen.operation()}: {complaint}: {seen.body!r:.300}" for complaint in found]
            self.counts[request.operation()] += 1
        status, kept, answer = self.ask(request)
        handler.send_response(status)
        for name, value in kept:
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    def ask(self, request):
        """Returns status, headers and body of moto's answer."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.upstream).netloc, timeout=60)
        try:
            connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers:
                if name not in HOP:
                    connection.putheader(name, value)
            connection.putheader("content-length", str(len(request.body)))
            connection.endheaders(request.body)
            answer = connection.getresponse()
            headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP]
            status, body = answer.status, mended(request, answer.read())
        finally:
            connection.close()
        if self.spoil_answer is not None and body.startswith(b"{"):
            status, answer = self.spoil_answer(request, status, json.loads(body))
            body = json.dumps(answer).encode()
        return status, headers, body


def mended(request, body):
    """Returns moto's answer, with what AWS says of parameters that stand for secrets.

    moto gives the name of the secret, and an ARN that nothing has. AWS gives the name that was asked for, and the ARN
    of the secret ("Referencing AWS Secrets Manager secrets from Parameter Store parameters", AWS Systems Manager User
    Guide).
    """
    if request.operation() != "GetParameters" or b"SourceResult" not in body:
        return body
    answer = json.loads(body)
    for parameter in answer.get("Parameters", []):
        if "SourceResult" in parameter:
            parameter["Name"] = REFERENCE + parameter["Name"]
            parameter["ARN"] = json.loads(parameter["SourceResult"])["ARN"]
    return json.dumps(answer).encode()
