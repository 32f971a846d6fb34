"""A web server on this machine with given answers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answers(dict):
    """(status, headers, body) by path; `address` is that of the server."""

    address: str

    def file(self, path: str, body: bytes, **headers: str) -> str:
        """Serve a file; returns its address."""
        named = {name.replace('_', '-'): value for name, value in headers.items()}
        self[path] = (200, {'Content-Type': 'application/octet-stream', **named}, body)
        return self.address + path

    def redirect(self, path: str, target: str, **headers: str) -> str:
        named = {name.replace('_', '-'): value for name, value in headers.items()}
        self[path] = (302, {'Location': target, **named}, b'')
        return self.address + path


@contextmanager
def local_server() -> Iterator[Answers]:
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answers.get(self.path, (404, {}, b''))
            self.send_response(status)
            for name, value in {'Content-Length': str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_) -> None:
            pass

    server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    answers.address = f'http://127.0.0.1:{server.server_port}'
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield answers
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
