# a small HTTP API of its own on a thread, and a client that calls it
import json
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    notes = {1: "buy milk"}

    def reply(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/notes":
            self.reply(200, self.notes)
        else:
            number = int(self.path.rsplit("/", 1)[-1])
            self.reply(200, self.notes[number]) if number in self.notes else self.reply(404, {"error": "no such note"})

    def do_POST(self):
        text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"]
        number = max(self.notes, default=0) + 1
        self.notes[number] = text
        self.reply(201, {"id": number})

    def log_message(self, form, *args):
        pass


server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_port}"


def call(path, value=None):
    data = json.dumps(value).encode() if value is not None else None
    try:
        with urllib.request.urlopen(urllib.request.Request(base + path, data=data)) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


print(call("/notes"))
print(call("/notes", {"text": "call Ann"}))
print(call("/notes/2"), call("/notes/9"))
server.shutdown()
