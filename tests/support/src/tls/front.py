"""Takes TLS off connections and carries them to a port of this machine: CERTIFICATE KEY PORT [CERTIFICATE-OF-CLIENTS]."""

import select
import socket
import ssl
import sys
import threading

PATIENCE = 20

certificate, key, port, *clients = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
for client in clients:
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(client)


def refuse(tls):
    """Lets the client read the alert: closing at once would reset the connection."""
    tls.shutdown(socket.SHUT_WR)
    while socket.socket.recv(tls, 65536):
        pass


def carry(tls, plain):
    while True:
        ready = [tls] if tls.pending() else select.select([tls, plain], [], [], PATIENCE)[0]
        for side in ready:
            data = side.recv(65536)
            if not data and side is plain:
                tls.unwrap()
            if not data:
                return
            (plain if side is tls else tls).sendall(data)


def serve(connection):
    connection.settimeout(PATIENCE)
    with context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as tls:
        try:
            tls.do_handshake()
        except ssl.SSLError:
            return refuse(tls)
        with socket.create_connection(("127.0.0.1", int(port)), PATIENCE) as plain:
            carry(tls, plain)


def quietly(connection):
    try:
        serve(connection)
    except OSError:
        pass  # A client that goes away in mid-request is no matter.


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=quietly, args=listener.accept()[:1], daemon=True).start()
